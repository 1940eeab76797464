/**
 * Who is next where many wait for the same machine: by time that was used, not by arrival. Each key has a counter of the
 * machine's time that it had; the key whose next request would leave it lowest goes first, and a key that comes anew
 * begins where the others are, so that nobody saves up and nobody is made to pay for a time when the machine was free
 * (virtual time, as in Demers, Keshav, Shenker 1989; for language models Sheng et al. 2024, arXiv:2401.00588). The two
 * priorities share likewise, nine to one: what is interactive goes first, and what is not still gets on. Pure.
 */

export type Priority = 'interactive' | 'batch'

/** Parts of the time that each priority has while both want it. */
const SHARES: Readonly<Record<Priority, number>> = { interactive: 9, batch: 1 }
const PRIORITIES: readonly Priority[] = ['interactive', 'batch']

export interface Waiter {
  key: string
  priority: Priority
  /** Among the same key's: the lowest first, then who came first. */
  rank: number
  /** In how many queues it stands at once: each expects its part of the work. */
  queues: number
}

interface Account<W> {
  /** ms of the machine's time that it had. */
  had: number
  waiting: W[]
}

interface Class<W> {
  had: number
  size: number
  /** Where a key begins that comes anew. */
  floor: number
  readonly keys: Map<string, Account<W>>
}

/** Accounts of keys that wait for nothing: so many are remembered. */
const REMEMBERED = 1_000

export class FairQueue<W extends Waiter> {
  readonly #classes: Readonly<Record<Priority, Class<W>>> = { interactive: newClass<W>(), batch: newClass<W>() }
  readonly #costOf: (waiter: W) => number
  #floor = 0

  /** @param costOf ms of the machine that this one is likely to take, now */
  constructor(costOf: (waiter: W) => number) {
    this.#costOf = costOf
  }

  get size(): number {
    return this.#classes.interactive.size + this.#classes.batch.size
  }

  add(waiter: W): void {
    const its = this.#classes[waiter.priority]
    if (its.size === 0) its.had = Math.max(its.had, this.#floor)
    const account = this.#accountOf(its, waiter.key)
    if (account.waiting.length === 0) account.had = Math.max(account.had, its.floor)
    // Behind all of its own that are as urgent: they came first.
    let at = account.waiting.length
    while (at > 0 && (account.waiting[at - 1] as W).rank > waiter.rank) at--
    account.waiting.splice(at, 0, waiter)
    its.size++
  }

  /** Whether it was there. */
  remove(waiter: W): boolean {
    const its = this.#classes[waiter.priority]
    const waiting = its.keys.get(waiter.key)?.waiting
    const at = waiting?.indexOf(waiter) ?? -1
    if (!waiting || at < 0) return false
    waiting.splice(at, 1)
    its.size--
    return true
  }

  /** Takes out whoever is next; undefined where nobody waits. What he will use is told by {@link begin}. */
  next(): W | undefined {
    let best: Account<W> | undefined
    let from: Class<W> | undefined
    let least = Number.POSITIVE_INFINITY
    for (const priority of PRIORITIES) {
      const its = this.#classes[priority]
      const first = its.size > 0 ? this.#firstOf(its) : undefined
      if (!first) continue
      const then = its.had + first.cost / SHARES[priority]
      if (then >= least) continue
      least = then
      from = its
      best = first.account
    }
    if (!best || !from) return undefined
    from.size--
    return best.waiting.shift()
  }

  /** The key whose next request would leave it lowest. */
  #firstOf(its: Class<W>): { account: Account<W>; cost: number } | undefined {
    let best: { account: Account<W>; cost: number } | undefined
    let least = Number.POSITIVE_INFINITY
    for (const account of its.keys.values()) {
      const [first] = account.waiting
      if (!first) continue
      const cost = this.#costOf(first)
      if (account.had + cost >= least) continue
      least = account.had + cost
      best = { account, cost }
    }
    return best
  }

  /** Who was {@link next} begins, and will take about so many ms: his key's and his priority's are counted up. */
  begin(key: string, priority: Priority, ms: number): void {
    const its = this.#classes[priority]
    const account = this.#accountOf(its, key)
    its.floor = Math.max(its.floor, account.had)
    this.#floor = Math.max(this.#floor, its.had)
    this.spent(key, priority, ms)
  }

  /** @param ms more than was counted; less where it is negative */
  spent(key: string, priority: Priority, ms: number): void {
    const its = this.#classes[priority]
    this.#accountOf(its, key).had += ms
    its.had += ms / SHARES[priority]
  }

  /**
   * How many of those that wait would go before this one, and how long they take together, ms. It need not wait itself
   * yet.
   */
  before(waiter: W): { count: number; ms: number } {
    const its = this.#classes[waiter.priority]
    const own = this.#accountOf(its, waiter.key)
    let until = Math.max(own.had, its.floor)
    for (const other of own.waiting) {
      if (other === waiter || other.rank > waiter.rank) break
      until += this.#costOf(other)
    }
    until += this.#costOf(waiter)
    let count = 0
    let ms = 0
    const pass = (one: W) => {
      count++
      ms += this.#costOf(one) / one.queues
    }
    for (const account of its.keys.values()) {
      let then = account.had
      for (const other of account.waiting) {
        if (other === waiter) break
        then += this.#costOf(other)
        if (then > until || (account === own && other.rank > waiter.rank)) break
        pass(other)
      }
    }
    // What is not interactive waits for all that is; the little that goes the other way is not counted.
    if (waiter.priority === 'batch')
      for (const account of this.#classes.interactive.keys.values()) for (const other of account.waiting) pass(other)
    return { count, ms }
  }

  /** ms that all who wait are likely to take. */
  work(): number {
    let ms = 0
    for (const waiter of this) ms += this.#costOf(waiter) / waiter.queues
    return ms
  }

  /**
   * Whoever has to make room in a full queue for a key that has less in it: the last of the key that has most, of the
   * lower priority first. Undefined where the newcomer is that one.
   */
  lastOfMost(newcomer: Waiter): W | undefined {
    const lower = newcomer.priority === 'interactive' ? this.#classes.batch : undefined
    if (lower && lower.size > 0) return longest(lower)?.waiting.at(-1)
    const its = this.#classes[newcomer.priority]
    const most = longest(its)
    const own = its.keys.get(newcomer.key)?.waiting.length ?? 0
    return most && most.waiting.length > own + 1 ? most.waiting.at(-1) : undefined
  }

  /** Who waits with how many. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { key } of this) counts.set(key, (counts.get(key) ?? 0) + 1)
    return counts
  }

  *[Symbol.iterator](): Iterator<W> {
    for (const priority of PRIORITIES) for (const { waiting } of this.#classes[priority].keys.values()) yield* waiting
  }

  #accountOf(its: Class<W>, key: string): Account<W> {
    let account = its.keys.get(key)
    if (!account) {
      if (its.keys.size >= REMEMBERED) forget(its)
      account = { had: its.floor, waiting: [] }
      its.keys.set(key, account)
    }
    return account
  }
}

const newClass = <W>(): Class<W> => ({ had: 0, size: 0, floor: 0, keys: new Map() })

function longest<W>(its: Class<W>): Account<W> | undefined {
  let most: Account<W> | undefined
  for (const account of its.keys.values()) if (account.waiting.length > (most?.waiting.length ?? 0)) most = account
  return most
}

/** A key that waits for nothing and had no more than the others is as good as new. */
function forget<W>(its: Class<W>): void {
  for (const [key, { waiting, had }] of its.keys) if (waiting.length === 0 && had <= its.floor) its.keys.delete(key)
  if (its.keys.size >= REMEMBERED)
    for (const [key, { waiting }] of its.keys) if (waiting.length === 0) its.keys.delete(key)
}
