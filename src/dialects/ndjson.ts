/** Newline-delimited JSON from bytes: one line, one event. A blank line is none; the last line counts without its end. */
import { Carry, type FramedEvent, MAX_EVENT_BYTES } from './carry.ts'
import type { Frame } from './dialect.ts'

const LF = 0x0a
const CR = 0x0d
const END = Uint8Array.of(LF)

const view = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function line(bytes: Buffer, start: number, end: number): Frame | undefined {
  if (end > start && bytes[end - 1] === CR) end--
  if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) start += 3
  if (end <= start) return undefined
  const data = bytes.toString('utf8', start, end)
  return data.trim() === '' ? undefined : { data }
}

export class NdjsonFramer {
  private readonly carry: Carry

  constructor(maxBytes: number = MAX_EVENT_BYTES) {
    this.carry = new Carry(maxBytes)
  }

  /** The lines that this chunk completes. @throws UpstreamFailure bad_reply on a line over the limit */
  push(chunk: Uint8Array): FramedEvent[] {
    const events: FramedEvent[] = []
    const bytes = view(chunk)
    let begin = 0
    while (begin < bytes.length) {
      const end = bytes.indexOf(LF, begin)
      if (end < 0) {
        this.carry.check(bytes.length - begin)
        this.carry.add(bytes.subarray(begin))
        break
      }
      this.carry.check(end + 1 - begin)
      const part = bytes.subarray(begin, end + 1)
      if (this.carry.length > 0) {
        const raw = this.carry.take(part)
        events.push({ frame: line(view(raw), 0, raw.length - 1), raw })
      } else {
        events.push({ frame: line(bytes, begin, end), raw: part })
      }
      begin = end + 1
    }
    return events
  }

  /** What is left when the stream has ended. */
  end(): FramedEvent[] {
    if (this.carry.length === 0) return []
    const raw = this.carry.take(END)
    return [{ frame: line(view(raw), 0, raw.length - 1), raw }]
  }
}
