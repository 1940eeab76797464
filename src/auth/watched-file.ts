/** A file that is read anew when it changes: looked at when it is needed, no more than once a second. No watcher to let go. */
import { readFileSync, statSync } from 'node:fs'

const LOOK_MS = 1_000
/** A file of names is no larger. Bytes. */
const LARGEST = 16 * 1024 * 1024

export class WatchedFile<T> {
  readonly #path: string
  readonly #parse: (text: string) => T
  readonly #now: () => number
  readonly #warn: (message: string, facts: Readonly<Record<string, unknown>>) => void
  #stamp = ''
  #lookedAt: number
  #value: T

  /** @throws Error with a sentence for the operator where it can't be read: then the gateway does not start */
  constructor(
    path: string,
    parse: (text: string) => T,
    now: () => number,
    warn: (message: string, facts: Readonly<Record<string, unknown>>) => void,
  ) {
    this.#path = path
    this.#parse = parse
    this.#now = now
    this.#warn = warn
    this.#lookedAt = now()
    try {
      this.#stamp = this.#stampNow()
      this.#value = this.#read()
    } catch (cause) {
      throw new Error(`The file ${path} (tollgate.auth) can't be read: ${reasonOf(cause)}.`)
    }
  }

  get value(): T {
    const now = this.#now()
    if (Math.abs(now - this.#lookedAt) < LOOK_MS) return this.#value
    this.#lookedAt = now
    try {
      const stamp = this.#stampNow()
      if (stamp === this.#stamp) return this.#value
      this.#value = this.#read()
      this.#stamp = stamp
    } catch (cause) {
      // Half a file, or none, must not let anybody in or out: what was read last holds.
      this.#warn('A file of accounts can not be read: what was read last holds.', {
        file: this.#path,
        told: reasonOf(cause),
      })
    }
    return this.#value
  }

  #stampNow(): string {
    const { mtimeMs, size, ino } = statSync(this.#path)
    if (size > LARGEST) throw new Error(`it is larger than ${LARGEST / 1024 / 1024} MB`)
    return `${mtimeMs} ${size} ${ino}`
  }

  #read(): T {
    return this.#parse(readFileSync(this.#path, 'utf8'))
  }
}

const reasonOf = (cause: unknown): string => (cause as { code?: string }).code ?? (cause as Error).message
