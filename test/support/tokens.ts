/** Tokens as tiktoken counts them, by itself: what a charge that was counted has to come to. */
import { get_encoding, type Tiktoken } from 'tiktoken'

let encoder: Tiktoken | undefined

export function tokensOf(text: string): number {
  encoder ??= get_encoding('o200k_base')
  return encoder.encode_ordinary(text).length
}

/** What OpenAI's cookbook makes of a request of one message ("How to count tokens with tiktoken"). */
export const promptTokens = (text: string): number => tokensOf(text) + 4 + 3
