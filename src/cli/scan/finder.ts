/** Finds keys in bytes as they come: of a file or an object of any size, no more than a piece is held. */
import { anyFormat, FORMATS, type Format, LONGEST } from '../../secrets/formats.ts'

export interface Hit {
  secret: string
  format: Format
  /** From 1. */
  line: number
}

export class Finder {
  readonly #found: (hit: Hit) => void
  readonly #any = anyFormat()
  /** What may belong to a key that goes on, with one character before it. */
  #text = ''
  /** Of `#text`: what was looked at already. */
  #seen = 0
  /** Line of the first character of `#text`. */
  #line = 1

  constructor(found: (hit: Hit) => void) {
    this.#found = found
  }

  push(bytes: Uint8Array): void {
    // Keys are ASCII: whatever else there is need not be read right.
    this.#text += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    if (this.#text.length > 4 * LONGEST) this.#look(this.#text.length - LONGEST)
  }

  end(): void {
    this.#look(this.#text.length)
  }

  /** @param until keys that begin behind it may not be here whole yet */
  #look(until: number): void {
    const text = this.#text
    let [line, counted] = [this.#line, 0]
    let next = this.#seen
    this.#any.lastIndex = next
    for (let match = this.#any.exec(text); match && match.index < until; match = this.#any.exec(text)) {
      const [secret] = match
      line += newlines(text, counted, match.index)
      counted = match.index
      next = match.index + secret.length
      const format = FORMATS[match.slice(1).findIndex((group) => group !== undefined)] as Format
      this.#found({ secret, format, line })
    }
    const cut = Math.max(0, until - 1)
    this.#line += newlines(text, 0, cut)
    this.#text = text.slice(cut)
    this.#seen = Math.max(next, until) - cut
  }
}

function newlines(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++
  return count
}
