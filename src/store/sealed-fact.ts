/** One sealed text among the facts of the database: few things, kept as a whole. */
import { fact, setFact } from './keys.ts'
import type { Store } from './open.ts'
import type { Seal } from './responses.ts'

export class SealedFact {
  readonly #store: Store
  readonly #seal: Seal
  readonly #name: string

  /** @param name of the fact, which is also what it opens with */
  constructor(store: Store, seal: Seal, name: string) {
    this.#store = store
    this.#seal = seal
    this.#name = name
  }

  /** @throws Error where it was changed, or sealed under a key that is not here */
  read(): string | undefined {
    const kept = fact(this.#store, this.#name)
    return kept === undefined ? undefined : this.#seal.open(Buffer.from(kept, 'base64'), this.#name)
  }

  write(text: string): void {
    setFact(this.#store, this.#name, this.#seal.seal(text, this.#name).toString('base64'))
  }

  /** Seals it anew where it is under an older key. @returns whether it was, as a number */
  reseal(): number {
    const kept = fact(this.#store, this.#name)
    if (kept === undefined) return 0
    const { beginning } = this.#seal
    if (Buffer.from(kept, 'base64').subarray(0, beginning.length).equals(beginning)) return 0
    this.write(this.read() as string)
    return 1
  }
}
