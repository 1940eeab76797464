/** Usage in the words of OpenAI's Responses: wholes with their parts, as in chat, under other names. */
import { serviceOf, type Usage, usage } from '../../core/usage.ts'
import type { Json } from '../canonical.ts'
import { readKinds, writeKinds } from '../openai/usage.ts'
import { isObject } from '../wire.ts'

/**
 * Usage of a whole response: its own, the searches that it made (each is billed), and how it was served.
 * @returns undefined where nothing was counted
 */
export function readResponseUsage(response: Json): Usage | undefined {
  const counted = readUsage(response.usage, response.service_tier)
  const output = Array.isArray(response.output) ? response.output : []
  const searches = output.filter((item) => isObject(item) && item.type === 'web_search_call' && isSearch(item))
  return counted && searches.length > 0 ? { ...counted, searches: searches.length } : counted
}

/** Opening and reading a page that was found are no searches. */
const isSearch = ({ action }: Json): boolean =>
  !isObject(action) || action.type === undefined || action.type === 'search'

/**
 * Realtime says `input_token_details` where Responses and images say `input_tokens_details`.
 * @returns undefined where nothing was counted
 */
export function readUsage(said: unknown, tier?: unknown): Usage | undefined {
  if (!isObject(said) || (!said.input_tokens && !said.output_tokens)) return undefined
  const input = [said.input_tokens_details, said.input_token_details].find(isObject) ?? {}
  const output = [said.output_tokens_details, said.output_token_details].find(isObject) ?? {}
  return usage(
    {
      input: said.input_tokens,
      cacheRead: input.cached_tokens,
      cacheWrite: input.cache_write_tokens,
      ...readKinds(input),
      output: said.output_tokens,
      reasoning: output.reasoning_tokens,
      audioOutput: output.audio_tokens,
      imageOutput: output.image_tokens,
    },
    serviceOf(tier),
  )
}

export function writeUsage(counted: Usage): Json {
  const { input, output, cacheRead, cacheWrite, cacheWriteHour, reasoning } = counted
  const written = cacheWrite + cacheWriteHour
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: cacheRead,
      ...(written > 0 ? { cache_write_tokens: written } : {}),
      ...writeKinds(counted.audioInput + counted.audioRead, counted.imageInput + counted.imageRead),
    },
    output_tokens: output,
    output_tokens_details: {
      reasoning_tokens: reasoning,
      ...writeKinds(counted.audioOutput, counted.imageOutput),
    },
    total_tokens: input + output,
  }
}
