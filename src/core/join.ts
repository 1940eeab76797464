/**
 * An answer that was cut off and the one that goes on with it, as one: no character twice, none lost. Pure; one a stream.
 */

/** An echo shorter than this could as well be how the answer goes on. */
const SHORTEST_ECHO = 20

export class Join {
  /** What was said already, as it was. */
  readonly #said: string
  /** White space at its end, which is not sent along: some models refuse a beginning that ends with it. */
  readonly #space: string
  readonly #mode: 'continue' | 'restart'
  #held = ''
  #joined = false

  /** @param mode `restart`: the other answer begins anew, and has to say the same first */
  constructor(said: string, mode: 'continue' | 'restart') {
    this.#said = said
    this.#mode = mode
    this.#space = said.slice(said.trimEnd().length)
  }

  /** What the other target is given as the beginning of its answer. */
  get beginning(): string {
    return this.#said.slice(0, this.#said.length - this.#space.length)
  }

  /**
   * What is to be sent for this text; '' while it could still be a repetition.
   * @throws Error where an answer that began anew says something else
   */
  push(text: string): string {
    if (this.#joined) return text
    this.#held += text
    const held = this.#held
    if (held.startsWith(this.#said) && (this.#mode === 'restart' || this.#said.length >= SHORTEST_ECHO))
      return this.#join(held.slice(this.#said.length))
    if (this.#mode === 'restart') {
      if (this.#said.startsWith(held)) return ''
      throw new Error('The answer that began anew is another one.')
    }
    // It may still become an echo of all of it, or of the white space.
    if (this.#said.length >= SHORTEST_ECHO && this.#said.startsWith(held)) return ''
    if (this.#space !== '' && held.length < this.#space.length && this.#space.startsWith(held)) return ''
    return this.#join(held.startsWith(this.#space) ? held.slice(this.#space.length) : held)
  }

  #join(rest: string): string {
    this.#joined = true
    this.#held = ''
    return rest
  }

  /** What was held back and is no repetition, at the end. @throws Error where a restart has not come as far */
  end(): string {
    if (this.#joined) return ''
    if (this.#mode === 'restart' && this.#held !== this.#said) throw new Error('The answer that began anew is shorter.')
    return this.#mode === 'restart' || this.#space.startsWith(this.#held) ? this.#join('') : this.#join(this.#held)
  }
}
