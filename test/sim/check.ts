/** Looked at after every event: memory, database and books say the same, and all promises are kept. */
import { budgetName, limitAt } from '../../src/core/budget.ts'
import { isOfDays } from '../../src/core/period.ts'
import { verify } from '../../src/store/verify.ts'
import type { Total } from './books.ts'
import { shown, type Tally } from './observe.ts'
import { hold } from './violation.ts'
import { type Asked, BOUNDS, type World } from './world.ts'

/** Of all that is looked at. @param seen how many transactions there were when the database was last looked at */
export function check(w: World, tally: Tally, seen: number): void {
  memory(w, tally)
  waiting(w)
  bounded(w)
  if (w.disk.commits !== seen) database(w)
}

/** Each account that the ledger has given out stands as the books say. */
function memory(w: World, tally: Tally): void {
  const { now, books, ledger } = w
  for (const [scope, { budgets, accounts }] of w.told) {
    if (budgets !== w.scene.budgets.get(scope)) continue
    for (const [i, account] of accounts.entries()) {
      const budget = budgets[i]
      if (!budget || now >= account.window.end) continue
      const { spent, held } = books.standing(scope, budget, now)
      const told = () => `${scope} '${budgetName(budget)}'`
      hold(
        'memory is the books',
        account.spent === spent && account.held === held,
        () => `${told()}: ${account.spent} spent and ${account.held} held, in the books ${spent} and ${held}`,
      )
      if (now < account.limitUntil)
        hold(
          'memory is the books',
          account.limit === limitAt(budget, now).limit && account.mode === (budget.mode ?? w.mode),
          () => `${told()} has a limit of ${account.limit}`,
        )
      const over = spent + held - limitAt(budget, now).limit
      if (over <= 0 || account.mode === 'soft' || budget.raise || w.excused.has(w.windowName(scope, budget))) continue
      tally.overspend += over
      hold('no overspend', false, () => shown(w.bar(scope, budget)))
    }
  }
  const open = ledger.open()
  let amount = 0
  for (const entry of books.held) amount += entry.amount
  hold(
    'held at rest is nothing',
    open.holds === books.held.size && open.amount === amount,
    () => `${open.holds} holds of ${open.amount} are open, in the books ${books.held.size} of ${amount}`,
  )
}

/** Whoever waits could not go on, and does not wait for ever. */
function waiting(w: World): void {
  // What happens at this very moment has not all happened yet.
  if (w.time.next <= w.now) return
  for (const it of w.asked) {
    if (it.entry || it.refusal) continue
    hold(
      'waiting has an end',
      w.now < it.askedAt + it.waitMs,
      () => `${it.operation} waits for ${w.now - it.askedAt} ms`,
    )
    // What happens at this very moment has not all happened yet.
    const isTold = w.time.next > w.now && it.scopes.every((scope) => isCurrent(w, scope))
    if (isTold)
      hold(
        'nobody waits for money that is there',
        !isFree(w, it),
        () => `${it.operation}: ${w.bars(it).map(shown).join('; ')}`,
      )
  }
}

const isCurrent = (w: World, scope: string): boolean =>
  (w.scene.budgets.get(scope) ?? []).length === 0 || w.told.get(scope)?.budgets === w.scene.budgets.get(scope)

/** Whether there is money for an attempt, beside the others or alone. */
function isFree(w: World, it: Asked): boolean {
  const worst = w.worstOf(it)
  const tight = w.bars(it).filter((b) => b.mode !== 'soft' && b.limit - b.spent - b.held < worst)
  return worst === 0 || tight.every((b) => b.held === 0 && b.limit - b.spent >= w.leastOf(it, b.mode))
}

function bounded({ ledger }: World): void {
  hold('bounded', ledger.longestQueue <= BOUNDS.waiting, () => `${ledger.longestQueue} wait in one queue`)
}

const TOTALS =
  'SELECT w.word, s.cost, s.requests, s.tokens FROM spend s JOIN words w ON w.id = s.scope WHERE s.budget = 0'
const WINDOWS = `SELECT s.cost, s.window_start AS start, s.seen, t.requests FROM spend s JOIN spend t ON t.scope = s.scope AND t.budget = 0
  WHERE s.scope = (SELECT id FROM words WHERE word = ?) AND s.budget = (SELECT id FROM words WHERE word = ?)`

/** Looked at after every transaction. */
function database(w: World): void {
  const { books, ledger, now } = w
  const { sqlite } = w.disk
  // Nobody knows what is there until it has been written again.
  if (w.disk.lied && ledger.unwritten > 0) return
  w.disk.lied = false
  const totals = books.totals(books.charges.length - ledger.unwritten)
  const rows = sqlite.prepare(TOTALS).all() as (Total & { word: string })[]
  hold(
    'the database is the books',
    rows.length === totals.size,
    () => `${rows.length} scopes, in the books ${totals.size}`,
  )
  for (const { word, cost, requests, tokens } of rows) {
    const total = totals.get(word)
    hold(
      'the database is the books',
      total?.cost === cost && total.requests === requests && total.tokens === tokens,
      () => `${word}: ${JSON.stringify({ cost, requests, tokens })}, in the books ${JSON.stringify(total)}`,
    )
  }
  const count = sqlite.prepare('SELECT count(*) FROM holds').pluck().get() as number
  // Since they were last swept: those that are over, and those that are under way.
  // What is written and said not to be is written again.
  if (!w.disk.hasLied)
    hold('bounded', count <= 2 * BOUNDS.sweep + books.held.size + ledger.unwritten + 15, () => `${count} rows of holds`)
  if (ledger.unwritten > 0) return
  const windowOf = sqlite.prepare<[string, string], { cost: number; start: number; seen: number; requests: number }>(
    WINDOWS,
  )
  for (const [scope, budgets] of w.scene.budgets)
    for (const budget of budgets) {
      if (!budget.period || isOfDays(budget.period)) continue
      const row = windowOf.get(scope, budgetName(budget))
      if (!row || row.seen !== row.requests || row.start !== books.windowOf(budget, now).start) continue
      const { spent } = books.standing(scope, budget, now)
      hold(
        'the database is the books',
        row.cost === spent,
        () => `the window '${budgetName(budget)}' of ${scope}: ${row.cost}, in the books ${spent}`,
      )
    }
}

/** Every charge by itself, and all sums over them. Takes milliseconds: now and then, at every crash and at the end. */
export function prove(w: World): void {
  const { sqlite } = w.disk
  const written = w.books.charges.slice(0, w.books.charges.length - w.ledger.unwritten)
  const rows = sqlite
    .prepare('SELECT operation, attempt, started_at AS at, cost, input + output AS tokens FROM charges')
    .all()
  const found = new Map(
    (rows as { operation: number; attempt: number; at: number; cost: number; tokens: number }[]).map((row) => [
      `${row.operation} ${row.attempt}`,
      row,
    ]),
  )
  const names = new Set(written.map(({ entry }) => entry.name))
  for (const name of found.keys()) hold('the books add up', names.has(name), () => `${name} is not in the books`)
  for (const { entry, cost, tokens } of written) {
    const row = found.get(entry.name)
    if (!row && entry.at < w.keptFrom) continue
    const same = row?.cost === cost && row.tokens === tokens && row.at === entry.at
    hold(
      'the books add up',
      same,
      () => `${entry.name}: ${JSON.stringify(row)}, in the books ${cost} for ${tokens} at ${entry.at}`,
    )
  }
  const { differences } = verify(sqlite)
  hold('the books add up', differences.length === 0, () => differences.join('\n'))
}
