/** What is to be counted where nobody reports usage, and what comes of it. Crosses to the worker and back. */
import type { WireId } from '../../dialects/canonical.ts'

export interface CountJob {
  /** In the upstream's words: it decides by which vocabulary is counted. */
  model: string
  /** As the caller sent it; undefined where there is nothing to read, or too much. */
  request?: { dialect: WireId; body: Uint8Array; model: string; stream: boolean } | undefined
  /** As the target sent it, from its beginning; undefined where nothing came. */
  answer?: { dialect: WireId; isStream: boolean; body: Uint8Array } | undefined
}

/** Tokens. */
export interface Counted {
  /** Undefined where there is more in the prompt than text. */
  input: number | undefined
  /** Of the prompt, as the target told it at the beginning of its answer (Anthropic). */
  told?: { input: number; cacheRead: number; cacheWrite: number; cacheWriteHour: number } | undefined
  output: number
  reasoning: number
  /** Events with content in what was counted: more may have come than was kept. */
  frames: number
}
