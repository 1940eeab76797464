/** JSON that a caller sent, once the scan has let it through: within a string there may still be what JSON forbids. */
import { Refusal } from '../core/refusal.ts'

/** @throws Refusal invalid_json */
export function readJson(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Refusal('invalid_json', `The request body is not valid JSON: ${(cause as Error).message}.`)
  }
}
