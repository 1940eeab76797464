/**
 * What a long JSON answer says of itself, found while its bytes go by: the few members that tell usage, at the top and one
 * level below, of an object or of each object in a list (Gemini's streams). Nothing else is kept.
 * It judges nothing: what is no JSON passes as it came.
 */
import type { FramedEvent } from './carry.ts'

/** Members that tell usage wherever they stand at the top, and those in which a `usage` may stand. */
const WANTED = new Set(['usage', 'usageMetadata', 'meta'])
const HOLDERS = new Set(['response', 'message'])
/** A short text that tells one dialect's usage from another's. */
const TYPE = 'type'
const LONGEST_KEY = 24
/** No usage is longer; what is, is none. */
const LONGEST_VALUE = 16 * 1024

const QUOTE = 0x22
const BACKSLASH = 0x5c
const NOTHING = new Uint8Array(0)
const decoder = new TextDecoder()

/** Frames of a long JSON answer: each chunk as it came, and last the members that were found, as JSON. */
export class Skimmer {
  /** Open brackets, `{` or `[`, the outermost first. Deeper than what is looked at only their number counts. */
  #depth = 0
  #isList = false
  #inString = false
  /** A backslash was the last byte of the chunk before. */
  #escaped = false
  /** The string that is read may be a key, or the value of `type`. */
  #text: number[] | undefined
  #isValue = false
  readonly #keys: (string | undefined)[] = []
  #taken: { path: string[]; depth: number; bytes: number[] } | undefined
  #found: Record<string, unknown> = {}

  push(raw: Uint8Array): FramedEvent[] {
    this.#read(raw)
    return [{ frame: undefined, raw }]
  }

  end(): FramedEvent[] {
    return Object.keys(this.#found).length === 0 ? [] : [{ frame: { data: JSON.stringify(this.#found) }, raw: NOTHING }]
  }

  #read(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      if (this.#inString) {
        i = this.#readString(bytes, i)
        continue
      }
      const byte = bytes[i] as number
      this.#takeAlong(byte)
      switch (byte) {
        case QUOTE:
          this.#inString = true
          this.#text = this.#level() <= 2 && !this.#taken ? [] : undefined
          break
        case 0x7b:
        case 0x5b:
          this.#open(byte)
          break
        case 0x7d:
        case 0x5d:
          this.#close()
          break
        case 0x3a:
          this.#isValue = true
          break
        case 0x2c:
          this.#isValue = false
          break
      }
    }
  }

  /** How many objects are open, without the list around them. */
  #level(): number {
    return this.#depth - (this.#isList ? 1 : 0)
  }

  #open(byte: number): void {
    if (this.#depth === 0) this.#isList = byte === 0x5b
    const level = this.#level()
    this.#depth++
    const [first, second] = this.#keys
    if (byte === 0x7b && !this.#taken && this.#isValue) {
      if (level === 1 && first !== undefined && WANTED.has(first)) this.#take([first], byte)
      if (level === 2 && first !== undefined && HOLDERS.has(first) && second === 'usage')
        this.#take([first, second], byte)
    }
    // A list's items have no keys: what stood before them is not theirs.
    if (byte === 0x5b && level >= 1) this.#keys[level - 1] = undefined
    this.#isValue = false
  }

  #take(path: string[], byte: number): void {
    this.#taken = { path, depth: this.#depth, bytes: [byte] }
  }

  #takeAlong(byte: number): void {
    if (this.#taken && this.#taken.bytes.push(byte) > LONGEST_VALUE) this.#taken = undefined
  }

  #close(): void {
    const taken = this.#taken
    if (taken?.depth === this.#depth) {
      this.#taken = undefined
      this.#keep(taken.path, taken.bytes)
    }
    this.#depth = Math.max(0, this.#depth - 1)
    this.#keys.length = Math.min(this.#keys.length, Math.max(0, this.#level()))
    this.#isValue = false
  }

  #keep([first = '', second]: string[], bytes: readonly number[]): void {
    try {
      const value: unknown = JSON.parse(decoder.decode(Uint8Array.from(bytes)))
      this.#found[first] = second === undefined ? value : { [second]: value }
    } catch {}
  }

  /** To the end of the string, or of the chunk. Where it ends depends on the backslashes before a quote alone. */
  #readString(bytes: Uint8Array, from: number): number {
    let i = from
    for (; i < bytes.length; i++) {
      const byte = bytes[i] as number
      const kept = this.#text
      this.#takeAlong(byte)
      if (this.#escaped) this.#escaped = false
      else if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) {
        this.#inString = false
        this.#ended(kept)
        return i
      }
      if (kept && kept.push(byte) > LONGEST_KEY) this.#text = undefined
      if (!this.#text && !this.#taken && !this.#escaped) i = hop(bytes, i)
    }
    return i
  }

  #ended(text: number[] | undefined): void {
    this.#text = undefined
    const level = this.#level()
    if (this.#taken || level < 1 || level > 2) return
    const said = text ? decoder.decode(Uint8Array.from(text)) : undefined
    if (!this.#isValue) this.#keys[level - 1] = said
    else if (level === 1 && this.#keys[0] === TYPE && said !== undefined) this.#found[TYPE] = said
  }
}

/** The byte before the next quote or backslash. */
function hop(bytes: Uint8Array, at: number): number {
  let i = at
  while (i + 1 < bytes.length && bytes[i + 1] !== QUOTE && bytes[i + 1] !== BACKSLASH) i++
  return i
}
