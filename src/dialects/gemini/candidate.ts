/** One candidate of Gemini's answers, both ways; a chunk of a stream has the same shape as a whole answer. */
import type { Choice, Json, Part, TokenLogprob, ToolCall } from '../canonical.ts'
import { callsOf, joinText } from '../parts.ts'
import { badReply, callId, compact, defined, fromUpstream, isObject, isString, wordOf } from '../wire.ts'
import { isBroken, readFinish, writeFinish } from './finish.ts'
import { readGrounding, writeGrounding } from './grounding.ts'
import { ID, readPart, writeCall } from './parts.ts'

/** What is said by a list of nothing is not said. */
function sourcesIn(said: unknown, text: string): Pick<Choice, 'citations' | 'searches'> {
  if (!isObject(said)) return {}
  const { citations, searches } = readGrounding(said, text)
  return { ...(citations.length > 0 ? { citations } : {}), ...(searches.length > 0 ? { searches } : {}) }
}

/**
 * @param calls how many calls the candidate made before (in a stream)
 * @param before its text before this chunk
 */
export function readCandidate(value: unknown, position: number, calls = 0, before = ''): Choice {
  if (!isObject(value)) throw badReply('A candidate of the answer is not an object.')
  if (isBroken(value.finishReason)) throw badReply(`The model could not call a tool (${wordOf(value.finishReason)}).`)
  const content = isObject(value.content) ? value.content : {}
  const parts = (Array.isArray(content.parts) ? content.parts : [])
    .map((part) => fromUpstream(() => readPart(part, 'content')))
    .filter((part) => part !== undefined)
  return defined<Choice>({
    index: typeof value.index === 'number' ? value.index : position,
    parts,
    finish: readFinish(value.finishReason, calls + callsOf(parts).length > 0),
    logprobs: readLogprobs(value.logprobsResult),
    ...sourcesIn(value.groundingMetadata, before + joinText(parts, '')),
  } as Choice)
}

const odds = (said: unknown): TokenLogprob | undefined =>
  isObject(said) && isString(said.token) && typeof said.logProbability === 'number'
    ? { token: said.token, logprob: said.logProbability }
    : undefined

/** `logprobsResult`: what was chosen, and beside each token what else was likely. */
export function readLogprobs(said: unknown): TokenLogprob[] | undefined {
  if (!isObject(said) || !Array.isArray(said.chosenCandidates)) return undefined
  const tops = Array.isArray(said.topCandidates) ? said.topCandidates : []
  const read = said.chosenCandidates.flatMap((chosen, index): TokenLogprob[] => {
    const token = odds(chosen)
    if (!token) return []
    const top: unknown = tops[index]
    const others = isObject(top) && Array.isArray(top.candidates) ? top.candidates.map(odds) : []
    return [{ ...token, top_logprobs: others.filter((one) => one !== undefined) }]
  })
  return read.length > 0 ? read : undefined
}

export function writeLogprobs(logprobs: readonly TokenLogprob[]): Json {
  const one = ({ token, logprob }: TokenLogprob) => ({ token, logProbability: logprob })
  return {
    topCandidates: logprobs.map(({ top_logprobs: tops = [] }) => ({ candidates: tops.map(one) })),
    chosenCandidates: logprobs.map(one),
  }
}

const BROKEN_ARGS = () => badReply('The upstream sent a tool call whose arguments are not a JSON object.')

/** @returns undefined for a call that the limit cut in the middle of its arguments: the finish tells of it */
export function writeCalled(call: ToolCall, index: number, choice: Choice, answer: string): Json | undefined {
  const signature = call.extras?.dialect === ID ? call.extras.fields : {}
  try {
    const id = call.id || callId(answer, choice.index, index)
    return { functionCall: writeCall({ ...call, id }, BROKEN_ARGS), ...signature }
  } catch (cause) {
    if (choice.finish?.unified === 'length') return undefined
    throw cause
  }
}

export function writeCandidate(choice: Choice, answer: string): Json {
  let calls = 0
  const parts = choice.parts.flatMap((part): Json[] => {
    if (part.type === 'call') {
      const written = writeCalled(part, calls++, choice, answer)
      return written ? [written] : []
    }
    const written = writeSaid(part)
    return written ? [written] : []
  })
  const { citations = [], searches = [] } = choice
  return compact({
    content: { parts, role: 'model' },
    ...(choice.finish ? { finishReason: writeFinish(choice.finish) } : {}),
    index: choice.index,
    ...(choice.logprobs ? { logprobsResult: writeLogprobs(choice.logprobs) } : {}),
    groundingMetadata: writeGrounding(citations, searches, joinText(choice.parts, '')),
  })
}

function writeSaid(part: Part): Json | undefined {
  const own = 'extras' in part && part.extras?.dialect === ID ? part.extras.fields : {}
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' && Object.keys(own).length === 0 ? undefined : { text: part.text, ...own }
    case 'thinking':
      return part.text === '' ? undefined : { text: part.text, thought: true, ...own }
    case 'image':
      return part.source.kind === 'data'
        ? { inlineData: { mimeType: part.source.mediaType, data: part.source.data }, ...own }
        : undefined
    case 'foreign': {
      const { type: _, ...fields } = own
      return Object.keys(fields).length > 0 ? fields : undefined
    }
    default:
      return undefined
  }
}
