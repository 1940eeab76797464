/**
 * Splits a byte stream into events by their ends and keeps what is unfinished for the next chunk. Bytes of an event that
 * lies whole in one chunk are never copied; what is cut is copied into one growing buffer (doubling, so linear in all),
 * which is bounded and let go of when it was large.
 */
import { UpstreamFailure } from '../core/failure.ts'
import type { Frame } from './dialect.ts'

export interface FramedEvent {
  /** Undefined where there is nothing to read: a comment, a blank line, an event without data. */
  frame: Frame | undefined
  /** The exact bytes, terminator included, for a relay. At the end of a stream a missing terminator is added. */
  raw: Uint8Array
}

/** Larger than any event of a healthy upstream: images come as a few MB. In bytes. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024
const KEEP = 64 * 1024

export class Carry {
  length = 0
  private buffer = new Uint8Array(0)

  constructor(private readonly maxBytes: number) {}

  /** @throws UpstreamFailure bad_reply where one event grows beyond the limit */
  check(more: number): void {
    if (this.length + more <= this.maxBytes) return
    throw new UpstreamFailure({
      kind: 'bad_reply',
      status: 200,
      message: `The upstream sent an event of more than ${this.maxBytes} bytes.`,
    })
  }

  add(part: Uint8Array): void {
    const length = this.length + part.length
    if (length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(length, this.buffer.length * 2, 256))
      grown.set(this.buffer.subarray(0, this.length))
      this.buffer = grown
    }
    this.buffer.set(part, this.length)
    this.length = length
  }

  /** What was kept, with a last part behind it, as bytes of its own; afterwards nothing is kept. */
  take(last: Uint8Array): Uint8Array {
    const whole = new Uint8Array(this.length + last.length)
    whole.set(this.buffer.subarray(0, this.length))
    whole.set(last, this.length)
    this.length = 0
    if (this.buffer.length > KEEP) this.buffer = new Uint8Array(0)
    return whole
  }
}
