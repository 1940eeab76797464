/**
 * What passes by in Gemini's streams, and what a whole answer shows. Every chunk tells the usage so far, which must not be
 * missed where the caller leaves: its counts are read off without parsing. No chunk is the last one for sure: the end is
 * the connection's (some servers say why they stop in every chunk).
 */
import type { Json } from '../canonical.ts'
import type { Look } from '../sight.ts'
import { isObject, isString } from '../wire.ts'
import { failureOf } from './error.ts'
import { blockedFinish, readFinish } from './finish.ts'
import { readAnswerUsage, readUsage } from './usage.ts'

const says = (part: unknown): boolean =>
  isObject(part) &&
  ((isString(part.text) && part.text !== '') || isObject(part.functionCall) || isObject(part.inlineData))

function lookAtCandidates(chunk: Json): { content: boolean; finished: boolean; all: boolean } | undefined {
  const { candidates } = chunk
  if (candidates !== undefined && !Array.isArray(candidates)) return undefined
  let content = false
  let finished = false
  let all = true
  for (const candidate of candidates ?? []) {
    if (!isObject(candidate)) return undefined
    const parts = isObject(candidate.content) ? candidate.content.parts : undefined
    if (Array.isArray(parts) && parts.some(says)) content = true
    if (readFinish(candidate.finishReason, false)) finished = true
    else all = false
  }
  if (blockedFinish(chunk)) finished = true
  return { content, finished, all: all && finished }
}

export function lookAtChunk(chunk: Json): Look | undefined {
  const failure = failureOf(chunk)
  if (failure) return { failure }
  const seen = lookAtCandidates(chunk)
  if (!seen) return undefined
  const usage = readAnswerUsage(chunk)
  const { usageMetadata } = chunk
  return {
    content: seen.content,
    finished: seen.finished,
    usage,
    gaps: gapsOf(chunk),
    numbers: COUNTS,
    // Its kinds of tokens are those of the chunk that was read: a prompt does not change while it is answered.
    counted: usage && ((numbers) => readUsage({ ...(usageMetadata as Json), ...numbers })),
  }
}

/** All that is counted in a chunk; `tokenCount` stands in the details of each kind. */
const COUNTS = [
  'promptTokenCount',
  'toolUsePromptTokenCount',
  'cachedContentTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'totalTokenCount',
  'tokenCount',
  'index',
]

/** The strings that vary in a chunk of one candidate's one text, be it the answer's or a thought's. */
function gapsOf({ candidates }: Json): string[] | undefined {
  const [candidate, another] = Array.isArray(candidates) ? (candidates as Json[]) : []
  if (!candidate || another || candidate.logprobsResult || !isObject(candidate.content)) return undefined
  const { parts } = candidate.content
  const [part, next] = Array.isArray(parts) ? parts : []
  if (next !== undefined || !isObject(part) || !says(part) || !isString(part.text)) return undefined
  return isString(part.thoughtSignature) ? ['thoughtSignature', 'text'] : ['text']
}

export function lookAtReply(reply: Json): Look | undefined {
  const failure = failureOf(reply)
  if (failure) return { failure }
  const seen = lookAtCandidates(reply)
  if (!seen || (reply.candidates === undefined && !blockedFinish(reply))) return undefined
  return { content: true, finished: seen.all, end: true, usage: readAnswerUsage(reply) }
}
