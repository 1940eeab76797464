/**
 * Ways to break the ledger, each by a line of its real source. Each must be noticed by an invariant, and each invariant
 * must notice one of them: one that nothing breaks proves nothing.
 */

export interface Edit {
  /** From the root of the project. */
  file: string
  /** Stands there once. */
  from: string
  to: string
}

export interface Mutation {
  name: string
  edits: readonly Edit[]
}

const CORE = 'src/core/ledger.ts'
const SHELL = 'src/store/ledger.ts'
const ACCOUNTS = 'src/store/accounts.ts'
const OUTBOX = 'src/store/outbox.ts'
const WAITING = 'src/store/waiting.ts'

const by = (name: string, ...edits: Edit[]): Mutation => ({ name, edits })

export const MUTATIONS: readonly Mutation[] = [
  by('what is held does not count', {
    file: CORE,
    from: "a.mode !== 'soft' && a.limit - a.spent - a.held < worst",
    to: "a.mode !== 'soft' && a.limit - a.spent < worst",
  }),
  by('a stream takes more than there is', {
    file: CORE,
    from: 'if (costOf(tokens) > left) return { short',
    to: 'if (costOf(tokens) < 0) return { short',
  }),
  by('a raise never ends', {
    file: CORE,
    from: 'if (now >= account.limitUntil) setLimit(account, now)',
    to: '',
  }),
  by('an answer is cut and not told', {
    file: CORE,
    from: 'maxOutput: affordable < tokens.outputMost ? affordable : undefined',
    to: 'maxOutput: undefined',
  }),
  by('a cap beside a strict one is not cut', {
    file: CORE,
    from: 'const needed = amount < uncut ? tokens.outputLeast : tokens.outputMost',
    to: "const needed = tight.every((a) => a.mode === 'cap') ? tokens.outputLeast : tokens.outputMost",
  }),
  by('what is held refuses', {
    file: CORE,
    from: 'const short = tight.find((a) => a.limit - a.spent < leastOf(a))',
    to: 'const short = tight.find((a) => a.limit - a.spent - a.held < leastOf(a))',
  }),
  by('a soft budget refuses', {
    file: CORE,
    from: "worst === 0 ? [] : accounts.filter((a) => a.mode !== 'soft' &&",
    to: 'worst === 0 ? [] : accounts.filter((a) =>',
  }),
  by('free models need money', {
    file: CORE,
    from: 'worst === 0 ? [] :',
    to: 'worst < 0 ? [] :',
  }),
  by('an answer is cut to half of what is left', {
    file: CORE,
    from: 'const affordable = Math.max(needed, outputAffordable(',
    to: 'const affordable = Math.max(needed, 0.5 * outputAffordable(',
  }),
  by('nobody is asked again when money comes back', {
    file: SHELL,
    from: 'this.#waiting.pump(accounts)',
    to: '',
  }),
  by('nobody is asked again when budgets change', {
    file: WAITING,
    from: 'for (const waiter of inOrder([...this.#queues.values()].flat())) waiter.again()',
    to: '',
  }),
  by('nobody is woken by a new window', {
    file: WAITING,
    from: 'const ms = Math.min(until, waiter.busy.until) - this.#timing.now()',
    to: 'const ms = until - this.#timing.now()',
  }),
  by('the youngest goes first', {
    file: WAITING,
    from: 'waiters.sort((a, b) => a.number - b.number)',
    to: 'waiters.sort((a, b) => b.number - a.number)',
  }),
  by('the first in a queue holds all others up', {
    file: WAITING,
    from: 'if (mayPass(waiter.busy.wait, waiter.busy.needs)) waiter.again()',
    to: '{ if (!mayPass(waiter.busy.wait, waiter.busy.needs)) return; waiter.again() }',
  }),
  by('waiting never ends', {
    file: WAITING,
    from: 'if (this.#timing.now() < until) return arm()',
    to: 'if (until > 0) return arm()',
  }),
  by('waiting ends too soon', {
    file: WAITING,
    from: 'const until = this.#timing.now() + request.waitMs',
    to: 'const until = this.#timing.now() + request.waitMs / 2',
  }),
  by('a queue has no end', {
    file: WAITING,
    from: 'if (queue.length >= this.#most) return false',
    to: '',
  }),
  by('holds are taken though nothing can be written', {
    file: OUTBOX,
    from: "if (this.#charges.length >= this.#bounds.unwritten) throw unwritable('too many settlements wait to be written')",
    to: '',
  }),
  by('holds are never swept away', {
    file: OUTBOX,
    from: 'if (isFlush && this.#over >= this.#bounds.sweep) this.#sweep()',
    to: '',
  }),
  by('not all accounts are taken from', {
    file: CORE,
    from: 'const takenIn = accounts.map(',
    to: 'const takenIn = accounts.slice(0, 2).map(',
  }),
  by('whoever waits takes from the accounts that there were', {
    file: SHELL,
    from: '  async hold(request: HoldRequest): Promise<OpenHold> {\n',
    to: '  async hold(wanted: HoldRequest): Promise<OpenHold> {\n    const were = wanted.accounts()\n    const request = { ...wanted, accounts: () => were }\n',
  }),
  by('a new window begins with the old money', {
    file: CORE,
    from: '  account.spent = 0\n  account.held = 0\n',
    to: '  account.held = 0\n',
  }),
  by('a new window begins with what is held', {
    file: CORE,
    from: '  account.spent = 0\n  account.held = 0\n',
    to: '  account.spent = 0\n',
  }),
  by('a new budget does not know what is under way', {
    file: ACCOUNTS,
    from: 'for (const { hold, alias } of this.#underWay.holdsOf(scope)) join(hold, opened, alias)',
    to: '',
  }),
  by('a budget of a model counts all models', {
    file: CORE,
    from: '(model !== undefined && !allows([model], alias))',
    to: 'model === alias',
  }),
  by('a changed limit is not noticed', {
    file: ACCOUNTS,
    from: 'changeBudget(account, budget, this.#settings.mode, now)',
    to: '',
  }),
  by('what could not be written keeps its money', {
    file: SHELL,
    from: '      this.#open.delete(open)\n      this.#giveBack(open.hold, 0)\n      throw cause',
    to: '      throw cause',
  }),
  by('what is let go keeps its money', {
    file: SHELL,
    from: '    this.#open.delete(open)\n    this.#giveBack(open.hold, 0)\n    this.#outbox.drop(open.row)',
    to: '    this.#outbox.drop(open.row)',
  }),
  by('what is settled stays open', {
    file: SHELL,
    from: '    const { attempt, row, hold } = open\n    this.#open.delete(open)\n',
    to: '    const { attempt, row, hold } = open\n',
  }),
  by('a hold that was forgotten stays', {
    file: SHELL,
    from: 'now - hold.takenAt > LEASE_MS',
    to: 'now < hold.takenAt',
  }),
  by('settling again counts again', {
    file: SHELL,
    from: '    if (open.hold.settled) return cost\n',
    to: '    if (open.hold.settled) { open.hold.settled = false; this.#giveBack(open.hold, cost); return cost }\n',
  }),
  by('settling again costs nothing', {
    file: SHELL,
    from: '    this.#giveBack(hold, cost)\n    return cost\n',
    to: '    this.#giveBack(hold, cost)\n    return cost + 1\n',
  }),
  by('totals forget the provider', {
    file: 'src/store/names.ts',
    from: 'return [...this.#scopesOf(payer), ...this.#scopesAt(target)]',
    to: 'return [...this.#scopesOf(payer), ...this.#scopesAt(target).slice(1)]',
  }),
  by('names are given within a transaction that fails', {
    file: SHELL,
    from: '      this.#names.scopes(numbers.payer, numbers.target)\n',
    to: '',
  }),
  by('a window counts what came back twice', {
    file: SHELL,
    from: 'if (moves.some((m) => m.scope === scope && m.budget === name)) continue',
    to: '',
  }),
  by('a window does not know what it has missed', {
    file: 'src/store/spent.ts',
    from: 'if (row && row.seen === total.requests) return',
    to: 'if (row) return',
  }),
  by('a window takes what it missed for seen', {
    file: 'src/store/rollups.ts',
    from: 'const missed = all - (moved.get(',
    to: 'const missed = 0 * (moved.get(',
  }),
  by('days are counted in another zone', {
    file: 'src/store/days.ts',
    from: 'this.#day = dayAt(this.#zone, at)',
    to: "this.#day = dayAt('Asia/Tokyo', at)",
  }),
  by('rollups are not moved', {
    file: 'src/store/rollups.ts',
    from: 'for (const { scope, day, target, sum } of days.values()) addUp(this.#moveScope, scope, day, target, sum)',
    to: '',
  }),
  by('charges that could not be written are forgotten', {
    file: OUTBOX,
    from: 'this.#charges = charges.concat(this.#charges)',
    to: '',
  }),
  by('what is there already counts again', {
    file: OUTBOX,
    from: 'if (changes > 0) sums.add(r, moves)',
    to: 'if (changes >= 0) sums.add(r, moves)',
  }),
  by('an attempt is sent before its hold is written', {
    file: SHELL,
    from: 'await this.#outbox.hold(open.row)\n',
    to: 'void this.#outbox.hold(open.row).catch(() => {})\n',
  }),
  by('a crash forgets what was under way', {
    file: 'src/store/recover.ts',
    from: 'readHolds(texts).filter(',
    to: 'readHolds([]).filter(',
  }),
  by(
    'a crash charges what was charged',
    {
      file: 'src/store/recover.ts',
      from: '!charged.get(h.operation, h.attempt))',
      to: 'h.attempt > 0)',
    },
    {
      file: OUTBOX,
      from: 'ON CONFLICT DO NOTHING',
      to: 'ON CONFLICT DO UPDATE SET cost = excluded.cost',
    },
  ),
  by('what was charged and let go with its day is charged again', {
    file: 'src/store/recover.ts',
    from: 'h.startedAt >= kept && ',
    to: '',
  }),
  by('holds are read in another order than they were written in', {
    file: 'src/store/recover.ts',
    from: 'SELECT facts FROM holds ORDER BY id',
    to: 'SELECT facts FROM holds ORDER BY id DESC',
  }),
  by('what is let go is charged', {
    file: OUTBOX,
    from: '    this.#dropped.push(hold)\n',
    to: '',
  }),
  by('open holds are swept away', {
    file: OUTBOX,
    from: 'if (this.#open.size > 0) this.#insertHold.run(holdText([...this.#open], []))',
    to: '',
  }),
  by('nobody is warned', {
    file: CORE,
    from: 'return passed.length > 0 ? Math.max(...passed) : undefined',
    to: 'return undefined',
  }),
  by('a limit that was raised is not warned of', {
    file: CORE,
    from: '  account.warned = spent\n',
    to: '  account.warned = passed.length > 0 ? Number.POSITIVE_INFINITY : account.warned\n',
  }),
  by('numbers are given again', {
    file: 'src/store/operation.ts',
    from: 'Math.max(this.#last + 1, operationAt(this.#clock()))',
    to: 'Math.max(this.#last, operationAt(this.#clock()))',
  }),
]
