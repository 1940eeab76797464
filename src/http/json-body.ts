import { Refusal } from '../core/refusal.ts'

/** The largest body that a management route reads. */
const LARGEST = 1024 * 1024

/** A JSON object from a request's body, bounded. @throws Refusal invalid_json, body_too_large, invalid_request */
export async function jsonBody(request: Request): Promise<Record<string, unknown>> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of request.body ?? []) {
    length += part.byteLength
    if (length > LARGEST) throw new Refusal('body_too_large', 'A management request may have 1 MB.')
    parts.push(part)
  }
  let value: unknown
  try {
    value = length === 0 ? {} : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts)))
  } catch (cause) {
    throw new Refusal('invalid_json', `The request body is not valid JSON: ${(cause as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal('invalid_request', 'The request body must be a JSON object.')
  return value as Record<string, unknown>
}
