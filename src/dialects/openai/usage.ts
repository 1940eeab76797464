/** Usage in OpenAI's words. `prompt_tokens` and `completion_tokens` are wholes; their details are parts of them. */
import { type Usage, usage } from '../../core/usage.ts'
import type { Json } from '../canonical.ts'
import { isObject } from '../wire.ts'

/** @returns undefined where nothing was counted: Ollama sends zeros with chunks and answers that it never counted. */
export function readUsage(said: unknown): Usage | undefined {
  if (!isObject(said)) return undefined
  if (!said.prompt_tokens && !said.completion_tokens && !said.total_tokens) return undefined
  const prompt = isObject(said.prompt_tokens_details) ? said.prompt_tokens_details : {}
  const completion = isObject(said.completion_tokens_details) ? said.completion_tokens_details : {}
  return usage({
    // DeepSeek says its cache hits beside the prompt's tokens; both count them within.
    input: said.prompt_tokens,
    cacheRead: prompt.cached_tokens ?? said.prompt_cache_hit_tokens,
    cacheWrite: prompt.cache_write_tokens,
    output: said.completion_tokens,
    reasoning: completion.reasoning_tokens,
  })
}

/** Counts that vary in a stream whose every chunk tells the usage so far (xAI, vLLM's `continuous_usage_stats`). */
export const COUNTS = [
  'index',
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'prompt_cache_hit_tokens',
  'prompt_cache_miss_tokens',
  'reasoning_tokens',
  'text_tokens',
  'audio_tokens',
]

/** {@link readUsage} of those counts alone, each of which stands in one place. */
export function readCounts(said: Json): Usage | undefined {
  const { cached_tokens, cache_write_tokens, reasoning_tokens, ...counts } = said
  return readUsage({
    ...counts,
    prompt_tokens_details: { cached_tokens, cache_write_tokens },
    completion_tokens_details: { reasoning_tokens },
  })
}

export function writeUsage(counted: Usage): Json {
  const { input, output, cacheRead, cacheWrite, cacheWriteHour, reasoning } = counted
  const written = cacheWrite + cacheWriteHour
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cacheRead, ...(written > 0 ? { cache_write_tokens: written } : {}) },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}
