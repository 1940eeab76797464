/** AWS's binary frames, written as its documentation draws them. */

/** CRC-32 by its definition (ISO 3309), bit by bit: not the one that is tested. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

const u32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

const encoder = new TextEncoder()

function header(name: string, value: string): Uint8Array {
  const [n, v] = [encoder.encode(name), encoder.encode(value)]
  return Buffer.concat([Uint8Array.of(n.length), n, Uint8Array.of(7, v.length >> 8, v.length & 255), v])
}

export function message(headers: readonly Uint8Array[], payload: string | Uint8Array): Uint8Array {
  const head = Buffer.concat(headers)
  const body = typeof payload === 'string' ? encoder.encode(payload) : payload
  const prelude = Buffer.concat([u32(16 + head.length + body.length), u32(head.length)])
  const rest = Buffer.concat([prelude, u32(crc32(prelude)), head, body])
  return Buffer.concat([rest, u32(crc32(rest))])
}

/** An event of a stream. */
export const event = (type: string, payload: unknown): Uint8Array =>
  message(
    [header(':event-type', type), header(':content-type', 'application/json'), header(':message-type', 'event')],
    JSON.stringify(payload),
  )

/** An exception in the middle of one. */
export const exception = (type: string, text: string): Uint8Array =>
  message(
    [
      header(':exception-type', type),
      header(':content-type', 'application/json'),
      header(':message-type', 'exception'),
    ],
    JSON.stringify({ message: text }),
  )

/** A piece of a container's own stream, as SageMaker passes it on. */
export const piece = (bytes: Uint8Array): Uint8Array =>
  message(
    [
      header(':event-type', 'PayloadPart'),
      header(':content-type', 'application/octet-stream'),
      header(':message-type', 'event'),
    ],
    bytes,
  )
