import { UpstreamFailure } from '../core/failure.ts'
import { readBounded } from './read-bounded.ts'

/** A whole body, never more than `limit` bytes. @throws UpstreamFailure bad_reply where it is longer */
export async function readWhole(response: Response, limit: number): Promise<Uint8Array> {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  if (declared > limit) throw tooLong(limit)
  if (declared <= limit || !response.body) return await response.bytes()
  return await readBounded(response.body as ReadableStream<Uint8Array>, limit, () => tooLong(limit))
}

const tooLong = (limit: number) =>
  new UpstreamFailure({ kind: 'bad_reply', status: 200, message: `The answer is longer than ${limit} bytes.` })
