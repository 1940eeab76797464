/** Usage in the words of OpenAI's Responses: wholes with their parts, as in chat, under other names. */
import { type Usage, usage } from '../../core/usage.ts'
import type { Json } from '../canonical.ts'
import { isObject } from '../wire.ts'

/** @returns undefined where nothing was counted */
export function readUsage(said: unknown): Usage | undefined {
  if (!isObject(said) || (!said.input_tokens && !said.output_tokens)) return undefined
  const input = isObject(said.input_tokens_details) ? said.input_tokens_details : {}
  const output = isObject(said.output_tokens_details) ? said.output_tokens_details : {}
  return usage({
    input: said.input_tokens,
    cacheRead: input.cached_tokens,
    cacheWrite: input.cache_write_tokens,
    output: said.output_tokens,
    reasoning: output.reasoning_tokens,
  })
}

export function writeUsage(counted: Usage): Json {
  const { input, output, cacheRead, cacheWrite, cacheWriteHour, reasoning } = counted
  const written = cacheWrite + cacheWriteHour
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cacheRead, ...(written > 0 ? { cache_write_tokens: written } : {}) },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  }
}
