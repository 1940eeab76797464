import { Refusal } from '../core/refusal.ts'
import { readBounded } from '../pipeline/read-bounded.ts'

/** The largest body that a management route reads. */
const LARGEST = 1024 * 1024

/** A JSON object from a request's body, bounded. @throws Refusal invalid_json, body_too_large, invalid_request */
export async function jsonBody(request: Request): Promise<Record<string, unknown>> {
  const tooLong = () => new Refusal('body_too_large', 'A management request may have 1 MB.')
  const bytes = await readBounded(request.body, LARGEST, tooLong)
  let value: unknown
  try {
    value = bytes.byteLength === 0 ? {} : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Refusal('invalid_json', `The request body is not valid JSON: ${(cause as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal('invalid_request', 'The request body must be a JSON object.')
  return value as Record<string, unknown>
}
