/** Usage in Anthropic's words: `input_tokens` is what neither was read from the cache nor written to it. */
import { serviceOf, type Usage, usage } from '../../core/usage.ts'
import type { Json } from '../canonical.ts'
import { isObject } from '../wire.ts'

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)

/**
 * @param before what `message_start` said: a later report replaces only what it names
 * @returns undefined where nothing was counted
 */
export function readUsage(said: unknown, before: Json = {}): Usage | undefined {
  if (!isObject(said)) return undefined
  const all: Json = { ...before }
  for (const [key, value] of Object.entries(said)) if (value !== null && value !== undefined) all[key] = value
  const cacheRead = count(all.cache_read_input_tokens)
  const written = count(all.cache_creation_input_tokens)
  if (count(all.input_tokens) + count(all.output_tokens) + cacheRead + written === 0) return undefined
  const creation = isObject(all.cache_creation) ? all.cache_creation : {}
  const cacheWriteHour = Math.min(count(creation.ephemeral_1h_input_tokens), written)
  const details = isObject(all.output_tokens_details) ? all.output_tokens_details : {}
  const tools = isObject(all.server_tool_use) ? all.server_tool_use : {}
  return usage(
    {
      input: count(all.input_tokens) + cacheRead + written,
      cacheRead,
      cacheWrite: written - cacheWriteHour,
      cacheWriteHour,
      output: all.output_tokens,
      reasoning: details.thinking_tokens,
      searches: tools.web_search_requests,
    },
    // `speed: fast` is the dearer of the two where both are said.
    all.speed === 'fast' ? serviceOf('fast') : serviceOf(all.service_tier),
  )
}

/** Counts of the cache always stand there: some clients read nothing else. */
export function writeUsage(counted: Usage): Json {
  const { input, cacheRead, cacheWrite, cacheWriteHour, output, reasoning, searches } = counted
  return {
    input_tokens: input - cacheRead - cacheWrite - cacheWriteHour,
    cache_creation_input_tokens: cacheWrite + cacheWriteHour,
    cache_read_input_tokens: cacheRead,
    ...(cacheWrite + cacheWriteHour > 0
      ? { cache_creation: { ephemeral_5m_input_tokens: cacheWrite, ephemeral_1h_input_tokens: cacheWriteHour } }
      : {}),
    output_tokens: output,
    ...(reasoning > 0 ? { output_tokens_details: { thinking_tokens: reasoning } } : {}),
    ...(searches > 0 ? { server_tool_use: { web_search_requests: searches } } : {}),
  }
}
