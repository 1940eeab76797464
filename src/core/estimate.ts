/**
 * How many tokens a request will be, before anybody has counted. Three answers, for three purposes:
 * the most it can be (a token is at least one byte), what it is likely to be (from what this target reported for
 * earlier requests), and the least an answer has been lately. Counting with a tokenizer costs milliseconds a request
 * and still differs from the provider's own count; what the provider reported last is both cheaper and closer.
 */
import type { Load } from './load.ts'
import { MOST_TOKENS } from './usage.ts'

/** Bytes of JSON per token of prompt where nothing is known yet: 4 characters a token is OpenAI's rule of thumb. */
const BYTES_PER_TOKEN = 4

/** Observations kept of each target: enough to see its spread, few enough to forget last hour's callers. */
const KEPT = 16

/** What a target reported of its last requests. Bounded; zeros where nothing has been seen. */
export class Experience {
  readonly #ratios = new Float64Array(KEPT)
  readonly #outputs = new Float64Array(KEPT)
  #seen = 0
  readonly #times = new Float64Array(KEPT)
  #timed = 0

  /** A whole answer came: `bytes` of request were `input` tokens, and the answer had `output`. */
  observe(bytes: number, input: number, output: number): void {
    if (input <= 0 || bytes <= 0) return
    const slot = this.#seen++ % KEPT
    this.#ratios[slot] = input / bytes
    this.#outputs[slot] = output
  }

  /** An answer took the machine so many ms. */
  took(ms: number): void {
    this.#times[this.#timed++ % KEPT] = ms
  }

  /** ms of the machine to expect: the most that one of the last answers took. */
  likelyMs(): number {
    return this.#timed === 0 ? 0 : Math.max(...this.#times.subarray(0, Math.min(this.#timed, KEPT)))
  }

  /** Tokens of prompt to expect of `bytes`: by the densest of the last requests, so that it is seldom too low. */
  likelyInput(bytes: number): number {
    const seen = Math.min(this.#seen, KEPT)
    if (seen === 0) return Math.ceil(bytes / BYTES_PER_TOKEN)
    let densest = 0
    for (let i = 0; i < seen; i++) densest = Math.max(densest, this.#ratios[i] as number)
    // To the nearest token: a few bytes more of JSON around the same prompt (`"stream":false`) must not refuse a request
    // that what is left pays for, and the densest ratio is cautious enough.
    return Math.min(bytes, Math.max(1, Math.round(densest * bytes)))
  }

  /** The shortest of the last answers, at least one token. */
  leastOutput(): number {
    const seen = Math.min(this.#seen, KEPT)
    if (seen === 0) return 1
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < seen; i++) least = Math.min(least, this.#outputs[i] as number)
    return Math.max(1, least)
  }
}

/** What a request may cost in tokens at one target. */
export interface Estimate {
  inputMost: number
  inputLikely: number
  outputMost: number
  outputLeast: number
  /** What else it may use, at most and most likely; undefined: any kind of token, and nothing beside them. */
  loadMost?: Load | undefined
  loadLikely?: Load | undefined
}

/** What is known of a model's size, in tokens. */
export interface Sizes {
  contextTokens?: number | undefined
  maxOutputTokens?: number | undefined
}

/**
 * @param bytes length of the request's body
 * @param asked the caller's own limit of one answer, if any
 * @param n how many answers are asked for
 * @param loads what it may use beside tokens of text
 */
export function estimate(
  experience: Experience,
  bytes: number,
  asked: number | undefined,
  n: number,
  sizes: Sizes,
  loads?: { most: Load; likely: Load },
): Estimate {
  const inputMost = Math.min(bytes, sizes.contextTokens ?? Number.POSITIVE_INFINITY)
  // Of a model that nobody describes the caller's own limit is believed, however high: it may write that much.
  const longest = sizes.maxOutputTokens ?? sizes.contextTokens ?? asked ?? UNKNOWN_OUTPUT
  const outputMost = Math.min(Math.min(asked ?? longest, longest) * n, MOST_TOKENS)
  return {
    inputMost,
    inputLikely: Math.min(inputMost, experience.likelyInput(bytes)),
    outputMost,
    // Each of n answers has a token: cut below n, each would be asked for with a limit of 0.
    outputLeast: Math.min(outputMost, Math.max(n, experience.leastOutput())),
    loadMost: loads?.most,
    loadLikely: loads?.likely,
  }
}

/** The longest answer to expect of a model that nobody describes. */
const UNKNOWN_OUTPUT = 32_768
