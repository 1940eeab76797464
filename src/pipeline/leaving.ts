/**
 * What ends a call before its answer does: its caller hangs up, or may no longer be here. One signal for both, so that
 * whatever waits or runs for a call (its turn, a slot, money, an upstream) ends by either.
 */
import type { Refusal } from '../core/refusal.ts'

export class Leaving {
  readonly #request: Request
  #own: AbortController | undefined
  #revoked: Refusal | undefined

  constructor(request: Request) {
    this.#request = request
  }

  /** Made when it is first asked for: what is refused at once needs none. */
  get signal(): AbortSignal {
    if (this.#own) return this.#own.signal
    const own = new AbortController()
    this.#own = own
    const { signal } = this.#request
    if (signal.aborted || this.#revoked) own.abort()
    else signal.addEventListener('abort', () => own.abort(), { once: true })
    return own.signal
  }

  /** What the caller is told whose leave was taken away; undefined: he hung up, or is still there. */
  get revoked(): Refusal | undefined {
    return this.#revoked
  }

  revoke(told: Refusal): void {
    if (this.#revoked) return
    this.#revoked = told
    this.#own?.abort()
  }
}
