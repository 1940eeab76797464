/** Usage in Gemini's words (ai.google.dev/api/generate-content#UsageMetadata). */
import { type Usage, usage } from '../../core/usage.ts'
import type { Json } from '../canonical.ts'
import { isObject } from '../wire.ts'

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)

/**
 * What the model read in tools of Google's counts as prompt, what it thought as answer: candidates are told without it.
 * @returns undefined where nothing was counted
 */
export function readUsage(said: unknown): Usage | undefined {
  if (!isObject(said)) return undefined
  const input = count(said.promptTokenCount) + count(said.toolUsePromptTokenCount)
  const reasoning = count(said.thoughtsTokenCount)
  const output = count(said.candidatesTokenCount) + reasoning
  if (input + output === 0) return undefined
  return usage({ input, cacheRead: said.cachedContentTokenCount, output, reasoning })
}

export function writeUsage({ input, output, cacheRead, reasoning }: Usage): Json {
  return {
    promptTokenCount: input,
    ...(cacheRead > 0 ? { cachedContentTokenCount: cacheRead } : {}),
    candidatesTokenCount: output - reasoning,
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    totalTokenCount: input + output,
  }
}
