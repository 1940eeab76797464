/** A secret is a type that does not print: whatever logs, serialises or inspects it sees `***`. */
import { z } from 'zod'

const MASK = '***'

export class Secret {
  /** Rises with each secret that became another one: whoever has made something of one looks whether it is still true. */
  static changes = 0

  #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** Takes over another one's text. @returns whether it is another text than before */
  replace(other: Secret): boolean {
    if (other.#value === this.#value) return false
    this.#value = other.#value
    Secret.changes++
    return true
  }

  /** The only way to the text. Call it where the text is sent, compared or hashed, and keep no copy. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return MASK
  }

  [Symbol.toPrimitive](): string {
    return MASK
  }
}

const SECRET = /key|secret|token|password|credential/i

/** Whether a provider's setting of this name is secret; others are an address, a region, a version. */
export const isSecretSetting = (setting: string): boolean => SECRET.test(setting)

/** A setting that is secret: takes text or a Secret, gives a Secret. */
export const secret = () =>
  z
    .union([z.instanceof(Secret), z.string().min(1)])
    .transform((value): Secret => (value instanceof Secret ? value : new Secret(value)))
