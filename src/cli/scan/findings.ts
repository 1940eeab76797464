/** What was found, each key once with its places. Bounded: what goes beyond is counted. */

import { isDrawn } from '../../secrets/formats.ts'
import type { Hit } from './finder.ts'

const MOST = 10_000
const MOST_PLACES = 20

export interface Finding {
  secret: string
  format: Hit['format']
  places: string[]
  /** How often, in all places. */
  count: number
  /** What the gateway says of it; undefined: it was not asked, or does not know it. */
  known?: { state: string; token?: string; key_alias?: string | null } | undefined
}

export class Findings {
  /** Keys that were found beyond those that are told. */
  beyond = 0
  readonly #found = new Map<string, Finding>()

  add({ secret, format }: Hit, place: string): void {
    const finding = this.#found.get(secret)
    if (!finding) {
      if (this.#found.size >= MOST) this.beyond++
      else this.#found.set(secret, { secret, format, places: [place], count: 1 })
      return
    }
    finding.count++
    if (finding.places.length < MOST_PLACES && !finding.places.includes(place)) finding.places.push(place)
  }

  /** Those that nobody but a gateway can tell from other words. */
  get candidates(): Finding[] {
    return this.all.filter(({ format }) => format.kind === 'sk-')
  }

  get all(): Finding[] {
    return [...this.#found.values()]
  }

  /** Without words that only begin like a key. */
  get told(): Finding[] {
    return this.all.filter(
      ({ format, secret, known }) =>
        format.kind !== 'sk-' || (known !== undefined && known.state !== 'unknown') || isDrawn(secret),
    )
  }
}
