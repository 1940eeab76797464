/** Why an answer ended, in the words of OpenAI's Responses: a status, and details where it is not whole. */
import type { Finish, Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'
import { readUsage } from './usage.ts'

const INCOMPLETE: Record<string, Finish['unified']> = { max_output_tokens: 'length', content_filter: 'content-filter' }

/**
 * @param response the response as it stands at its end
 * @param called the answer holds tool calls
 * @returns undefined where it has not ended, or was broken off
 */
export function readFinish(response: Json, called: boolean): Finish | undefined {
  const details = isObject(response.incomplete_details) ? response.incomplete_details : {}
  if (response.status === 'incomplete') {
    const reason = isString(details.reason) ? details.reason : 'incomplete'
    return { unified: INCOMPLETE[reason] ?? 'other', raw: reason }
  }
  if (response.status !== 'completed') return undefined
  if (called) return { unified: 'tool-calls', raw: 'completed' }
  // Ollama (0.17.4) calls an answer completed that it cut at the limit; both counts are in the response.
  const limit = response.max_output_tokens
  const isCut = typeof limit === 'number' && limit > 0 && (readUsage(response.usage)?.output ?? 0) >= limit
  return { unified: isCut ? 'length' : 'stop', raw: 'completed' }
}

/** `status` and `incomplete_details` of a response that ended so. */
export function writeFinish(finish: Finish): { status: string; incomplete_details: Json | null } {
  if (finish.unified === 'length') return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  if (finish.unified === 'content-filter')
    return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }
  return { status: 'completed', incomplete_details: null }
}
