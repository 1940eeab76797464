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
