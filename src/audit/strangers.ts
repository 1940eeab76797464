/**
 * Those who are refused before anybody knows who they are. Some of them are told one by one; whoever knocks thousands of times
 * shall not fill the disk, so that the rest of a minute is one entry that says how many there were.
 */
import type { FoldedEntry } from '../core/audit-entry.ts'

const WINDOW_MS = 60_000
/** In a minute so many are told one by one. */
export const TOLD = 60
/** Addresses and reasons that a folded entry names. */
const MOST_NAMED = 20

interface Folded {
  from: number
  to: number
  count: number
  outcomes: Map<string, number>
  ips: Set<string>
}

export class Strangers {
  readonly #now: () => number
  readonly #show: (ip: string | undefined) => string | undefined
  readonly #write: (entry: FoldedEntry, at: number) => void
  #since = 0
  #told = 0
  #folded: Folded | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param show an address as it is written down @param write takes an entry that stands for many */
  constructor(
    now: () => number,
    show: (ip: string | undefined) => string | undefined,
    write: (entry: FoldedEntry, at: number) => void,
  ) {
    this.#now = now
    this.#show = show
    this.#write = write
  }

  /** Whether this one is told by itself; else it has been counted. */
  isTold(outcome: string, ip: string | undefined): boolean {
    const now = this.#now()
    if (now - this.#since >= WINDOW_MS || now < this.#since) {
      this.flush()
      this.#since = now
      this.#told = 0
    }
    if (this.#told < TOLD) {
      this.#told++
      return true
    }
    this.#folded ??= { from: now, to: now, count: 0, outcomes: new Map(), ips: new Set() }
    const { outcomes, ips } = this.#folded
    this.#folded.to = now
    this.#folded.count++
    if (outcomes.has(outcome) || outcomes.size < MOST_NAMED) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    const shown = this.#show(ip)
    if (shown !== undefined && ips.size < MOST_NAMED) ips.add(shown)
    this.#timer ??= setTimeout(() => this.flush(), WINDOW_MS)
    this.#timer.unref()
    return false
  }

  /** Writes what was folded. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const folded = this.#folded
    if (!folded) return
    this.#folded = undefined
    const { from, to, count, outcomes, ips } = folded
    this.#write(
      {
        ...{ kind: 'folded', from: new Date(from).toISOString(), to: new Date(to).toISOString(), count },
        ...{ outcomes: Object.fromEntries(outcomes), ips: [...ips] },
      },
      this.#now(),
    )
  }
}
