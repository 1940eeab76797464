/**
 * A file that lines are appended to, for whoever rotates it: where it was moved away a new one is begun, by itself or when it
 * is asked to. Lines share a write; where none is possible they are counted, and nobody waits.
 */
import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs'

const LINGER_MS = 200
/** Characters that wait at most. */
const MOST_WAITING = 4 * 1024 * 1024

export interface LineFileHooks {
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export class LineFile {
  readonly #path: string
  readonly #hooks: LineFileHooks
  #fd: number | undefined
  #waiting = ''
  #lost = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #wasTold = false

  /** @param path of a file, or `stdout` */
  constructor(path: string, hooks: LineFileHooks) {
    this.#path = path
    this.#hooks = hooks
  }

  /** @param lines each with its end */
  write(lines: string): void {
    if (this.#waiting.length + lines.length > MOST_WAITING) {
      this.#lost++
      return
    }
    this.#waiting += lines
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.flush(), LINGER_MS)
    this.#timer.unref()
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#waiting === '') return
    try {
      writeAll(this.#open(), this.#waiting)
      this.#waiting = ''
      if (this.#lost > 0)
        this.#hooks.warn('Lines of a log were lost while its file could not be written.', {
          file: this.#path,
          lost: this.#lost,
        })
      this.#lost = 0
      this.#wasTold = false
    } catch (cause) {
      if (!this.#wasTold)
        this.#hooks.warn('A log cannot be written; it will be tried again.', { file: this.#path, told: String(cause) })
      this.#wasTold = true
      this.reopen()
    }
  }

  #open(): number {
    if (this.#path === 'stdout') return 1
    if (this.#fd !== undefined && this.#isMoved(this.#fd)) this.reopen()
    this.#fd ??= openSync(this.#path, 'a', 0o640)
    return this.#fd
  }

  /** Whether what stands under the name is another file now, or none. */
  #isMoved(fd: number): boolean {
    const there = statSync(this.#path, { throwIfNoEntry: false })
    const here = fstatSync(fd)
    return there === undefined || there.ino !== here.ino || there.dev !== here.dev
  }

  /** From the next line on, the file that then stands under the name. */
  reopen(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  close(): void {
    this.flush()
    clearTimeout(this.#timer)
    this.reopen()
  }
}

function writeAll(fd: number, text: string): void {
  let bytes = Buffer.from(text)
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(fd, bytes))
}
