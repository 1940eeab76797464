import { Refusal } from '../core/refusal.ts'
import { readBounded } from '../pipeline/read-bounded.ts'

/** The largest body that a management route reads. */
const LARGEST = 1024 * 1024

/** How long it may take to come in, ms. */
const LONGEST_MS = 30_000

/**
 * A JSON object from a request's body, bounded in size and time.
 * @throws Refusal invalid_json, body_too_large, invalid_request, request_timeout
 */
export async function jsonBody(request: Request, withinMs = LONGEST_MS): Promise<Record<string, unknown>> {
  const tooLong = () => new Refusal('body_too_large', 'A management request may have 1 MB.')
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Refusal('request_timeout', `The request did not come in whole within ${withinMs / 1000} s.`)),
    withinMs,
  )
  const read = readBounded(request.body, LARGEST, tooLong)
  const bytes = await Promise.race([read, late.promise]).finally(() => clearTimeout(timer))
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
