/** What can be counted of one attempt, counted the same way whoever reported it. */
export interface Counts {
  /** All of the prompt: what was read as it is, and what was read from or written to a cache. */
  input: number
  /** Of the prompt, read from the provider's cache. */
  cacheRead: number
  /** Of the prompt, written to the provider's cache (5 minutes). */
  cacheWrite: number
  /** Of the prompt, written to the provider's cache for an hour. */
  cacheWriteHour: number
  /** Of the uncached prompt, audio. */
  audioInput: number
  /** Of the uncached prompt, images and videos. */
  imageInput: number
  /** Of what was read from the cache, audio. */
  audioRead: number
  /** Of what was read from the cache, images and videos. */
  imageRead: number
  /** All of the answer, reasoning, audio and images included. */
  output: number
  /** Of the answer, reasoning. */
  reasoning: number
  /** Of the answer, audio. */
  audioOutput: number
  /** Of the answer, images and videos. */
  imageOutput: number
  /** Images made. */
  images: number
  /** Media that was heard or made, ms of its own time. */
  mediaMs: number
  /** What the machine worked on it, ms. */
  gpuMs: number
  /** Characters that were spoken. */
  characters: number
  /** Searches: of a web search tool, or rerank's search units. */
  searches: number
}

/** The service that an answer was given in, where providers sell faster and slower ones. */
export type Service = 'standard' | 'priority' | 'flex' | 'batch' | 'balanced' | 'ultrafast'

export interface Usage extends Counts {
  /** Undefined: nobody said. */
  service?: Service
}

/**
 * Where the numbers of a charge come from: the provider said so; they were counted here; they are an estimate; there is
 * nothing to count.
 */
export type UsageSource = 'provider' | 'counted' | 'estimated' | 'none'

export const NO_USAGE: Usage = {
  ...{ input: 0, cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0 },
  ...{ audioInput: 0, imageInput: 0, audioRead: 0, imageRead: 0 },
  ...{ output: 0, reasoning: 0, audioOutput: 0, imageOutput: 0 },
  ...{ images: 0, mediaMs: 0, gpuMs: 0, characters: 0, searches: 0 },
}

export const COUNTS = Object.keys(NO_USAGE) as (keyof Counts)[]

/** More tokens (characters, ms) than any request has: what lies above is a lie, and would carry a price out of exact numbers. */
export const MOST_TOKENS = 1_000_000_000
/** The same for images and searches, which cost cents each. */
export const MOST_PIECES = 100_000

const upTo = (most: number, n: unknown): number => (typeof n === 'number' && n > 0 ? Math.min(Math.floor(n), most) : 0)
const count = (n: unknown): number => upTo(MOST_TOKENS, n)

/**
 * A usage that keeps its invariants whatever the provider said: parts never exceed their whole
 * (new-api#3259: a negative uncached input), nothing is negative, everything is an integer.
 */
export function usage(said: Partial<Record<keyof Counts, unknown>>, service?: Service): Usage {
  const audioRead = count(said.audioRead)
  const imageRead = count(said.imageRead)
  const cacheRead = Math.max(count(said.cacheRead), audioRead + imageRead)
  const cacheWrite = count(said.cacheWrite)
  const cacheWriteHour = count(said.cacheWriteHour)
  const audioInput = count(said.audioInput)
  const imageInput = count(said.imageInput)
  const reasoning = count(said.reasoning)
  const audioOutput = count(said.audioOutput)
  const imageOutput = count(said.imageOutput)
  const all: Usage = {
    input: Math.max(count(said.input), cacheRead + cacheWrite + cacheWriteHour + audioInput + imageInput),
    cacheRead,
    cacheWrite,
    cacheWriteHour,
    audioInput,
    imageInput,
    audioRead,
    imageRead,
    output: Math.max(count(said.output), reasoning + audioOutput + imageOutput),
    reasoning,
    audioOutput,
    imageOutput,
    images: upTo(MOST_PIECES, said.images),
    mediaMs: count(said.mediaMs),
    gpuMs: count(said.gpuMs),
    characters: count(said.characters),
    searches: upTo(MOST_PIECES, said.searches),
  }
  if (service) all.service = service
  return all
}

/** A later report in the place of an earlier one: what only that one told (searches, the service) is kept. */
export function later(before: Usage | undefined, now: Usage): Usage {
  if (!before) return now
  const isLess = before.searches > now.searches || (before.service !== undefined && now.service === undefined)
  if (!isLess) return now
  const all: Usage = { ...now, searches: Math.max(before.searches, now.searches) }
  const service = now.service ?? before.service
  return service ? { ...all, service } : all
}

/** Adds `more` to `sum`, in place. */
export function addUsage(sum: Usage, more: Counts): void {
  for (const name of COUNTS) sum[name] += more[name]
}

const SERVICES: Readonly<Record<string, Service>> = {
  // OpenAI and those after it; `scale` is bought ahead and `auto` decides nothing.
  ...{ default: 'standard', standard: 'standard', standard_only: 'standard', on_demand: 'standard', scale: 'standard' },
  ...{ priority: 'priority', flex: 'flex', batch: 'batch', balanced: 'balanced', ultrafast: 'ultrafast' },
  // Google's traffic types (cloud.google.com/vertex-ai: UsageMetadata.trafficType).
  ...{ on_demand_priority: 'priority', on_demand_flex: 'flex', provisioned_throughput: 'standard' },
  // Anthropic's `speed` is sold at a price of its own, as LiteLLM's priority keys name it.
  fast: 'priority',
}

/** A provider's word for a service (`default`, `priority`, `ON_DEMAND_FLEX`), or undefined where it says none. */
export const serviceOf = (said: unknown): Service | undefined =>
  typeof said === 'string' && Object.hasOwn(SERVICES, said.toLowerCase()) ? SERVICES[said.toLowerCase()] : undefined
