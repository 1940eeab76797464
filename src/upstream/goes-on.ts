/**
 * Whether a model goes on with an answer whose beginning it is given, where that depends on what is installed: the template
 * of a model on an Ollama either leaves the last turn open or closes it, and one that closes it begins a new answer.
 */
import { inquire } from './inquire.ts'
import type { Link } from './link.ts'

/** Models are made anew under the same name, ms. */
const BELIEVED_MS = 600_000
const REMEMBERED = 1_000

/** A beginning that stands nowhere else. */
const BEGINNING = 'Thus it begins'

interface Known {
  takes: Promise<boolean>
  at: number
}

export class Beginnings {
  readonly #now: () => number
  readonly #known = new Map<string, Known>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Asks once in a while. False where it does not tell: a second answer behind half a first one would look whole. */
  async takes(link: Link): Promise<boolean> {
    const { target, provider } = link
    if (target.abilities.prefill !== undefined || !provider.goesOn) return target.abilities.prefill === true
    const key = `${target.id} ${target.model}`
    const known = this.#known.get(key)
    if (known && this.#now() - known.at < BELIEVED_MS) return await known.takes
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    const { path, dialect, ask, tells } = provider.goesOn
    const body = link.amend(dialect, ask(target.model, BEGINNING), () => {})
    const takes = inquire(link, { method: 'POST', path, body, timeoutMs: target.timeouts.firstByte }).then(
      (answer) => tells(answer, BEGINNING),
      () => {
        // What could not be asked now may be another time.
        this.#known.delete(key)
        return false
      },
    )
    this.#known.set(key, { takes, at: this.#now() })
    return await takes
  }
}
