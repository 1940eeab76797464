/** Requests that wait for money which others hold: each in the queue of the account it needs, first come first served. */
import type { Account } from '../core/ledger.ts'
import { Refusal } from '../core/refusal.ts'
import type { Timing } from './timing.ts'

/** What has to be waited for. */
export interface Busy {
  wait: Account
  /** ms since the epoch: when money may be there though nobody settled, since a window ends. */
  until: number
}

/** One try: took what it needs, or has to wait. @throws Refusal */
type Try<T> = () => { taken: T } | Busy

interface Wait<T> {
  /** Decided anew each time. */
  try: Try<T>
  /** What the caller is told whose time is over. */
  tooLate(on: Account): Refusal
  waitMs: number
  signal: AbortSignal
}

interface Waiter {
  /** Asks again. Returns the account that it still has to wait for, undefined where it is done with. */
  again(): Account | undefined
}

export class Waiting {
  readonly #queues = new Map<Account, Set<Waiter>>()
  readonly #timing: Timing
  readonly #most: number

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
      let { wait: place, until: wakeAt } = busy
      let disarm = () => {}
      const end = () => {
        this.#leave(place, waiter)
        disarm()
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        end()
        reject(new Refusal('client_closed', 'The caller left while waiting for budget.'))
      }
      const waiter: Waiter = {
        again: () => {
          try {
            const found = request.try()
            if ('wait' in found) {
              if (found.wait !== place) this.#leave(place, waiter)
              if (found.wait !== place && !this.#enter(found.wait, waiter)) throw request.tooLate(found.wait)
              place = found.wait
              if (found.until < wakeAt) arm(found.until)
              wakeAt = found.until
              return place
            }
            end()
            resolve(found.taken)
          } catch (cause) {
            end()
            reject(Refusal.from(cause))
          }
          return undefined
        },
      }
      // Asked once more when its time is over or a window ends.
      const wake = () => {
        const still = waiter.again()
        if (!still) return
        if (this.#timing.now() < until) arm(wakeAt)
        else {
          end()
          reject(request.tooLate(still))
        }
      }
      const arm = (at: number) => {
        disarm()
        disarm = this.#timing.after(
          Math.min(Math.max(0, Math.min(until, at) - this.#timing.now()), LONGEST_TIMER),
          wake,
        )
      }
      if (!this.#enter(place, waiter)) return reject(request.tooLate(place))
      arm(wakeAt)
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) onAbort()
    })
  }

  /** Money came back: those who wait for it are asked again, in their order, until one has to go on waiting. */
  pump(account: Account): void {
    for (const waiter of this.#queues.get(account) ?? []) if (waiter.again() === account) return
  }

  #enter(account: Account, waiter: Waiter): boolean {
    let queue = this.#queues.get(account)
    if (queue && queue.size >= this.#most) return false
    if (!queue) {
      queue = new Set()
      this.#queues.set(account, queue)
    }
    queue.add(waiter)
    return true
  }

  #leave(account: Account, waiter: Waiter): void {
    const queue = this.#queues.get(account)
    queue?.delete(waiter)
    if (queue?.size === 0) this.#queues.delete(account)
  }
}

/** What a timer can count (2^31 − 1 ms). */
const LONGEST_TIMER = 2_147_483_647
