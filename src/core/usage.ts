/** Tokens of one attempt, counted the same way whoever reported them. */
export interface Usage {
  /** All of the prompt: uncached + cacheRead + cacheWrite + cacheWriteHour, audio included. */
  input: number
  /** Of the prompt, read from the provider's cache. */
  cacheRead: number
  /** Of the prompt, written to the provider's cache (5 minutes). */
  cacheWrite: number
  /** Of the prompt, written to the provider's cache for an hour. */
  cacheWriteHour: number
  /** Of the uncached prompt, audio. */
  audioInput: number
  /** All of the answer, reasoning and audio included. */
  output: number
  /** Of the answer, reasoning. */
  reasoning: number
  /** Of the answer, audio. */
  audioOutput: number
  /** Images made. */
  images: number
  /** Media that was heard or made, ms of its own time. */
  mediaMs: number
  /** What the machine in the house worked on it, ms. */
  gpuMs: number
  /** Characters that were spoken. */
  characters: number
  /** Searches: of a web search tool, or rerank's search units. */
  searches: number
}

/** Where the numbers of a charge come from. */
export type UsageSource = 'provider' | 'estimated' | 'none'

export const NO_USAGE: Usage = {
  ...{ input: 0, cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0, audioInput: 0 },
  ...{ output: 0, reasoning: 0, audioOutput: 0 },
  ...{ images: 0, mediaMs: 0, gpuMs: 0, characters: 0, searches: 0 },
}

/** More tokens than any request has: what lies above is a lie, and would carry a price out of exact numbers. */
export const MOST_TOKENS = 1_000_000_000

const count = (n: unknown): number => (typeof n === 'number' && n > 0 ? Math.min(Math.floor(n), MOST_TOKENS) : 0)

/**
 * A usage that keeps its invariants whatever the provider said: parts never exceed their whole
 * (new-api#3259: a negative uncached input), nothing is negative, everything is an integer.
 */
export function usage(said: Partial<Record<keyof Usage, unknown>>): Usage {
  const cacheRead = count(said.cacheRead)
  const cacheWrite = count(said.cacheWrite)
  const cacheWriteHour = count(said.cacheWriteHour)
  const audioInput = count(said.audioInput)
  const reasoning = count(said.reasoning)
  const audioOutput = count(said.audioOutput)
  return {
    input: Math.max(count(said.input), cacheRead + cacheWrite + cacheWriteHour + audioInput),
    cacheRead,
    cacheWrite,
    cacheWriteHour,
    audioInput,
    output: Math.max(count(said.output), reasoning + audioOutput),
    reasoning,
    audioOutput,
    images: count(said.images),
    mediaMs: count(said.mediaMs),
    gpuMs: count(said.gpuMs),
    characters: count(said.characters),
    searches: count(said.searches),
  }
}
