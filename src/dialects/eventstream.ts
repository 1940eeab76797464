/**
 * AWS's binary event stream from bytes (application/vnd.amazon.eventstream): lengths, headers, payload, and two checksums
 * (docs.aws.amazon.com/transcribe/latest/dg/event-stream.html). All numbers are big-endian:
 *
 *     total length [4] · headers' length [4] · CRC-32 of these 8 bytes [4] · headers · payload · CRC-32 of all before [4]
 *
 * A message becomes a frame: its `:event-type` (or `:exception-type`, or `:error-code`) and its payload, which is JSON.
 */
import { Carry, type FramedEvent, MAX_EVENT_BYTES } from './carry.ts'
import type { Frame } from './dialect.ts'
import { badReply } from './wire.ts'

/** SageMaker's frames around the stream of a container. */
export const PIECE = 'PayloadPart'

const PRELUDE = 12
const CRC = 4
const NOTHING = new Uint8Array(0)

/** Bytes of a header's value by its type; text and bytes (6, 7) say their length themselves. */
const SIZES: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 }
const BYTES = 6
const TEXT = 7

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')

/** Those of the headers that are text, which is all that say something here. */
function headersOf(message: Uint8Array, length: number): Record<string, string> {
  const view = viewOf(message)
  const headers: Record<string, string> = {}
  const end = PRELUDE + length
  let at = PRELUDE
  while (at < end) {
    const nameEnd = at + 1 + view.getUint8(at)
    const type = view.getUint8(nameEnd)
    const isLong = type === BYTES || type === TEXT
    const from = nameEnd + (isLong ? 3 : 1)
    const size = isLong ? view.getUint16(nameEnd + 1) : SIZES[type]
    if (size === undefined || from + size > end) throw badReply('A header of the event stream is broken.')
    if (type === TEXT) headers[textOf(message, at + 1, nameEnd)] = textOf(message, from, from + size)
    at = from + size
  }
  return headers
}

/** @throws UpstreamFailure bad_reply where a checksum is wrong */
function frameOf(message: Uint8Array): Frame {
  const view = viewOf(message)
  const body = message.length - CRC
  if (Bun.hash.crc32(message.subarray(0, body)) !== view.getUint32(body))
    throw badReply('A message of the event stream has a wrong checksum.')
  const length = view.getUint32(4)
  const headers = headersOf(message, length)
  const event = headers[':event-type'] ?? headers[':exception-type'] ?? headers[':error-code']
  const data = textOf(message, PRELUDE + length, body)
  // An error of the connection's own says its sentence in a header.
  const told = headers[':error-message']
  const frame = { event, data: data === '' && told !== undefined ? JSON.stringify({ message: told }) : data }
  // A piece of somebody else's stream may end in the middle of a letter.
  return event === PIECE ? { ...frame, bytes: message.subarray(PRELUDE + length, body) } : frame
}

export class EventStreamFramer {
  private readonly carry: Carry
  /** Bytes of the message that is being read; 0 until its prelude is whole. */
  private total = 0

  constructor(private readonly maxBytes: number = MAX_EVENT_BYTES) {
    this.carry = new Carry(maxBytes)
  }

  /** The messages that this chunk completes. @throws UpstreamFailure bad_reply on a broken or too large one */
  push(chunk: Uint8Array): FramedEvent[] {
    const events: FramedEvent[] = []
    let rest = chunk
    while (rest.length > 0) {
      if (this.total === 0) {
        const missing = PRELUDE - this.carry.length
        if (rest.length < missing) {
          this.carry.add(rest)
          break
        }
        if (this.carry.length > 0) {
          this.carry.add(rest.subarray(0, missing))
          rest = rest.subarray(missing)
          const prelude = this.carry.take(NOTHING)
          this.total = this.measure(prelude)
          this.carry.add(prelude)
        } else this.total = this.measure(rest)
      }
      const missing = this.total - this.carry.length
      if (rest.length < missing) {
        this.carry.add(rest)
        break
      }
      const part = rest.subarray(0, missing)
      const raw = this.carry.length > 0 ? this.carry.take(part) : part
      events.push({ frame: frameOf(raw), raw })
      rest = rest.subarray(missing)
      this.total = 0
    }
    return events
  }

  /** The whole length of the message, from its first 12 bytes. */
  private measure(bytes: Uint8Array): number {
    const view = viewOf(bytes)
    if (Bun.hash.crc32(bytes.subarray(0, 8)) !== view.getUint32(8))
      throw badReply('The upstream sent no event stream, or a broken one.')
    const total = view.getUint32(0)
    if (total > this.maxBytes) throw badReply(`The upstream sent an event of more than ${this.maxBytes} bytes.`)
    if (total < PRELUDE + view.getUint32(4) + CRC) throw badReply('A message of the event stream is too short.')
    return total
  }

  /** What is left when the stream has ended: half a message is none. */
  end(): FramedEvent[] {
    return []
  }
}
