/**
 * Who changes what: everybody who keeps something tells of its changes here, and what is told while somebody's request is
 * served is his doing. The one place where the two meet, so that no handler can forget it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Change } from '../core/change.ts'
import type { Principal } from '../core/principal.ts'

/** Something that somebody does, while it is done. */
export interface Act {
  requestId: string
  /** `POST /key/update` */
  route: string
  who: Principal | undefined
  ip: string | undefined
  /** In whose name (`litellm-changed-by`). */
  changedBy: string | undefined
  changes: Change[]
  status: number
  outcome: string
}

/** What the gateway does by itself: at its start, by the clock. */
const ITSELF = { requestId: '', route: '', who: undefined, ip: undefined, changedBy: undefined } as const

/** Of one request; and of what is told before somebody listens. */
const MOST = 1_000

export class Changes {
  readonly #acts = new AsyncLocalStorage<Act>()
  #write: ((act: Act) => void) | undefined
  #early: Change[] = []

  /** From now on somebody writes down what is done. */
  open(write: (act: Act) => void): void {
    this.#write = write
    for (const change of this.#early) this.#alone(change)
    this.#early = []
  }

  readonly tell = (change: Change): void => {
    const act = this.#acts.getStore()
    if (act) {
      if (act.changes.length < MOST) act.changes.push(change)
    } else if (this.#write) this.#alone(change)
    else if (this.#early.length < MOST) this.#early.push(change)
  }

  /** Says what is told of the request that is served just now in other words. */
  rewrite(clean: (change: Change) => Change): void {
    const act = this.#acts.getStore()
    if (act) act.changes = act.changes.map(clean)
  }

  #alone(change: Change): void {
    this.#write?.({ ...ITSELF, changes: [change], status: 0, outcome: 'ok' })
  }

  /** Does something in somebody's name: what is told meanwhile is his. */
  during<T>(act: Act, run: () => Promise<T>): Promise<T> {
    return this.#acts.run(act, run)
  }

  /** It is done, or was refused. */
  done(act: Act): void {
    this.#write?.(act)
  }
}
