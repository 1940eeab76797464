/**
 * Requests that wait for money which others hold: each in the queue of the account it needs, first come first served.
 * Nobody is passed by a request that needs no less of the same accounts; one that needs less may go on beside the others
 * while a larger one waits.
 */
import type { Ending } from '../core/ending.ts'
import { type Account, mayPass, type Needs } from '../core/ledger.ts'
import { Refusal } from '../core/refusal.ts'
import type { Timing } from './timing.ts'

/** What has to be waited for. */
export interface Busy {
  wait: Account
  needs: Needs
  /** ms since the epoch: when money may be there though nobody settled, since a window ends. */
  until: number
}

interface Wait<T> {
  /** Decided anew each time: took what it needs, or has to wait. @throws Refusal */
  try(): { taken: T } | Busy
  /** What the caller is told whose time is over. */
  tooLate(on: Account): Refusal
  waitMs: number
  signal: Ending
}

interface Waiter {
  /** Its place in every queue: older ones have lower numbers. */
  readonly number: number
  busy: Busy
  /** Asks again. */
  again(): void
}

export class Waiting {
  /** By their numbers. */
  readonly #queues = new Map<Account, Waiter[]>()
  readonly #timing: Timing
  readonly #most: number
  #number = 0

  /** @param most requests that may wait for one account */
  constructor(timing: Timing, most: number) {
    this.#timing = timing
    this.#most = most
  }

  /** Waits until a try succeeds. @throws Refusal what a try throws, budget_exceeded when the time is over, client_closed */
  wait<T>(busy: Busy, request: Wait<T>): Promise<T> {
    const { signal } = request
    const until = this.#timing.now() + request.waitMs
    return new Promise((resolve, reject) => {
      let disarm = () => {}
      let over = false
      const end = () => {
        over = true
        this.#leave(waiter)
        disarm()
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        end()
        reject(new Refusal('client_closed', 'The caller left while waiting for budget.'))
      }
      const waiter: Waiter = {
        number: this.#number++,
        busy,
        again: () => {
          if (over) return
          try {
            const found = request.try()
            if ('wait' in found) return move(found)
            end()
            resolve(found.taken)
          } catch (cause) {
            end()
            reject(Refusal.from(cause))
          }
        },
      }
      /** @throws Refusal where too many wait there */
      const move = (to: Busy) => {
        const { wait, until: wakeAt } = waiter.busy
        if (to.wait !== wait) this.#leave(waiter)
        waiter.busy = to
        if (to.wait !== wait && !this.#enter(waiter)) throw request.tooLate(to.wait)
        if (to.until < wakeAt) arm()
      }
      // Asked once more when its time is over or a window ends.
      const wake = () => {
        waiter.again()
        if (over) return
        if (this.#timing.now() < until) return arm()
        end()
        reject(request.tooLate(waiter.busy.wait))
      }
      const arm = () => {
        disarm()
        const ms = Math.min(until, waiter.busy.until) - this.#timing.now()
        disarm = this.#timing.after(Math.min(Math.max(0, ms), LONGEST_TIMER), wake)
      }
      if (!this.#enter(waiter)) return reject(request.tooLate(busy.wait))
      arm()
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }

  /** Money came back to these: those who wait for it and may go on are asked again, in their order. */
  pump(accounts: readonly Account[]): void {
    if (this.#queues.size === 0) return
    const queues = accounts.flatMap((account) => this.#queues.get(account) ?? NOBODY)
    for (const waiter of inOrder(queues)) if (mayPass(waiter.busy.wait, waiter.busy.needs)) waiter.again()
  }

  /** Budgets changed: everybody is asked again, in their order. */
  pumpAll(): void {
    for (const waiter of inOrder([...this.#queues.values()].flat())) waiter.again()
  }

  /** How many wait for the account that most wait for. */
  get longest(): number {
    let longest = 0
    for (const queue of this.#queues.values()) longest = Math.max(longest, queue.length)
    return longest
  }

  #enter(waiter: Waiter): boolean {
    const account = waiter.busy.wait
    const queue = this.#queues.get(account)
    if (!queue) {
      this.#queues.set(account, [waiter])
      return true
    }
    if (queue.length >= this.#most) return false
    queue.splice(placeOf(queue, waiter), 0, waiter)
    return true
  }

  #leave(waiter: Waiter): void {
    const account = waiter.busy.wait
    const queue = this.#queues.get(account)
    if (!queue) return
    const at = placeOf(queue, waiter)
    if (queue[at] === waiter) queue.splice(at, 1)
    if (queue.length === 0) this.#queues.delete(account)
  }
}

const NOBODY: readonly Waiter[] = []

const inOrder = (waiters: Waiter[]): Waiter[] => waiters.sort((a, b) => a.number - b.number)

/** Where a waiter stands, or belongs. */
function placeOf(queue: readonly Waiter[], { number }: Waiter): number {
  let low = 0
  let high = queue.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((queue[middle] as Waiter).number < number) low = middle + 1
    else high = middle
  }
  return low
}

/** What a timer can count (2^31 − 1 ms). */
const LONGEST_TIMER = 2_147_483_647
