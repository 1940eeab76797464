import { UpstreamFailure } from '../core/failure.ts'

/** A whole body, never more than `limit` bytes. @throws UpstreamFailure bad_reply where it is longer */
export async function readWhole(response: Response, limit: number): Promise<Uint8Array> {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  if (declared > limit) throw tooLong(limit)
  if (declared <= limit || !response.body) return await response.bytes()
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body as ReadableStream<Uint8Array>) {
    length += part.byteLength
    if (length > limit) throw tooLong(limit)
    parts.push(part)
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, length)
}

const tooLong = (limit: number) =>
  new UpstreamFailure({ kind: 'bad_reply', status: 200, message: `The answer is longer than ${limit} bytes.` })
