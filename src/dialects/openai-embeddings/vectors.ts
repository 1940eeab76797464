/** Vectors in OpenAI's two spellings: numbers, or base64 of little-endian 32-bit floats (what its SDKs ask for). */
import { badReply, isString } from '../wire.ts'

export function toBase64(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value, true)
  return Buffer.from(view.buffer).toString('base64')
}

export function fromBase64(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 0 || bytes.length % 4 !== 0)
    throw badReply('A vector of the answer is not base64 of 32-bit floats.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true))
}

/** @throws UpstreamFailure bad_reply where it is neither */
export function readVector(value: unknown): number[] {
  if (isString(value)) return fromBase64(value)
  if (Array.isArray(value) && value.every((item) => typeof item === 'number')) return value
  throw badReply('A vector of the answer is not an array of numbers.')
}
