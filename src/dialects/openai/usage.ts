/** Usage in OpenAI's words. `prompt_tokens` and `completion_tokens` are wholes; their details are parts of them. */
import { serviceOf, type Usage, usage } from '../../core/usage.ts'
import type { Json } from '../canonical.ts'
import { isObject } from '../wire.ts'

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)
const part = (value: unknown): Json => (isObject(value) ? value : {})

/**
 * @param tier `service_tier` as it stands beside it: how the answer was served
 * @returns undefined where nothing was counted: Ollama sends zeros with chunks and answers that it never counted.
 */
export function readUsage(said: unknown, tier?: unknown): Usage | undefined {
  if (!isObject(said)) return undefined
  if (!said.prompt_tokens && !said.completion_tokens && !said.total_tokens) return undefined
  const prompt = part(said.prompt_tokens_details)
  const completion = part(said.completion_tokens_details)
  const { audioInput, imageInput, audioRead, imageRead } = readKinds(prompt)
  return usage(
    {
      // Perplexity bills the pages that it cites as prompt.
      input: count(said.prompt_tokens) + count(said.citation_tokens),
      // DeepSeek and Moonshot say their cache hits beside the prompt's tokens; all count them within.
      cacheRead: prompt.cached_tokens ?? said.prompt_cache_hit_tokens ?? said.cached_tokens,
      // LiteLLM, where it is asked as a provider, has Anthropic's words beside OpenAI's.
      cacheWrite: prompt.cache_write_tokens ?? prompt.cache_creation_tokens ?? said.cache_creation_input_tokens,
      ...{ audioInput, imageInput, audioRead, imageRead },
      output: count(said.completion_tokens) + reasoningBeside(said, completion),
      reasoning: completion.reasoning_tokens ?? said.reasoning_tokens,
      audioOutput: completion.audio_tokens,
      imageOutput: completion.image_tokens,
      // Mistral's Voxtral in chat; Perplexity's deep research.
      mediaMs: count(said.prompt_audio_seconds) * 1000,
      searches: said.num_search_queries,
    },
    serviceOf(tier),
  )
}

/**
 * Kinds of tokens in a prompt's details, each without what of it was read from the cache (`cached_tokens_details`, as
 * Realtime and images tell it).
 */
export function readKinds(prompt: Json): {
  audioInput: number
  imageInput: number
  audioRead: number
  imageRead: number
} {
  const cached = part(prompt.cached_tokens_details)
  const audioRead = count(cached.audio_tokens)
  const imageRead = count(cached.image_tokens)
  return {
    audioInput: Math.max(0, count(prompt.audio_tokens) - audioRead),
    imageInput: Math.max(0, count(prompt.image_tokens) - imageRead),
    audioRead,
    imageRead,
  }
}

/**
 * Reasoning that is not among the completion's tokens: xAI counts it beside them (the total is prompt + completion +
 * reasoning: docs.x.ai, "Consumption and rate limits"), Perplexity names it at the top.
 */
function reasoningBeside(said: Json, completion: Json): number {
  const within = count(completion.reasoning_tokens)
  const total = count(said.total_tokens)
  if (within > 0 && total === count(said.prompt_tokens) + count(said.completion_tokens) + within) return within
  return within === 0 ? count(said.reasoning_tokens) : 0
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
    prompt_tokens_details: {
      cached_tokens: cacheRead,
      ...(written > 0 ? { cache_write_tokens: written } : {}),
      ...writeKinds(counted.audioInput + counted.audioRead, counted.imageInput + counted.imageRead),
    },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      ...writeKinds(counted.audioOutput, counted.imageOutput),
    },
  }
}

/** Kinds of tokens that most answers have none of. */
export const writeKinds = (audio: number, image: number): Json => ({
  ...(audio > 0 ? { audio_tokens: audio } : {}),
  ...(image > 0 ? { image_tokens: image } : {}),
})
