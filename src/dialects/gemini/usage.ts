/** Usage in Gemini's words (ai.google.dev/api/generate-content#UsageMetadata). */
import { serviceOf, type Usage, usage } from '../../core/usage.ts'
import type { Json } from '../canonical.ts'
import { isObject, wordOf } from '../wire.ts'

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)

/** Tokens of these kinds in a list of `{modality, tokenCount}`. */
function ofKind(details: unknown, ...kinds: string[]): number {
  const list = Array.isArray(details) ? details.filter(isObject) : []
  return list.reduce((sum, one) => sum + (kinds.includes(wordOf(one.modality)) ? count(one.tokenCount) : 0), 0)
}

/**
 * What the model read in tools of Google's counts as prompt, what it thought as answer: candidates are told without it.
 * A prompt's kinds include what of them was cached.
 * @returns undefined where nothing was counted
 */
export function readUsage(said: unknown): Usage | undefined {
  if (!isObject(said)) return undefined
  const input = count(said.promptTokenCount) + count(said.toolUsePromptTokenCount)
  const reasoning = count(said.thoughtsTokenCount)
  // Live says `responseTokenCount` for `candidatesTokenCount`.
  const output = count(said.candidatesTokenCount ?? said.responseTokenCount) + reasoning
  if (input + output === 0) return undefined
  const answer = said.candidatesTokensDetails ?? said.responseTokensDetails
  const audioRead = ofKind(said.cacheTokensDetails, 'AUDIO')
  const imageRead = ofKind(said.cacheTokensDetails, 'IMAGE', 'VIDEO')
  const prompt = [said.promptTokensDetails, said.toolUsePromptTokensDetails]
  const audio = prompt.reduce((sum: number, details) => sum + ofKind(details, 'AUDIO'), 0)
  const images = prompt.reduce((sum: number, details) => sum + ofKind(details, 'IMAGE', 'VIDEO'), 0)
  return usage(
    {
      input,
      cacheRead: said.cachedContentTokenCount,
      audioInput: audio - audioRead,
      imageInput: images - imageRead,
      audioRead,
      imageRead,
      output,
      reasoning,
      audioOutput: ofKind(answer, 'AUDIO'),
      imageOutput: ofKind(answer, 'IMAGE', 'VIDEO'),
    },
    // `ON_DEMAND` on Vertex AI, `standard` in the Gemini API.
    serviceOf(said.trafficType ?? said.serviceTier),
  )
}

/** {@link readUsage} of a whole answer or chunk, with the searches that it says were made for it. */
export function readAnswerUsage(answer: Json): Usage | undefined {
  const counted = readUsage(answer.usageMetadata)
  const searches = counted ? searchesIn(answer) : 0
  return counted && searches > 0 ? { ...counted, searches } : counted
}

/** Each query is billed (Gemini 3; those before it by the prompt, which is one at least). */
function searchesIn({ candidates }: Json): number {
  let searches = 0
  for (const candidate of Array.isArray(candidates) ? candidates : []) {
    const grounding = isObject(candidate) && isObject(candidate.groundingMetadata) ? candidate.groundingMetadata : {}
    if (Array.isArray(grounding.webSearchQueries)) searches += grounding.webSearchQueries.length
  }
  return searches
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
