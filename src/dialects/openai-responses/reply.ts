/** A whole answer in the words of OpenAI's Responses, both ways. */
import { UpstreamFailure } from '../../core/failure.ts'
import type { Chat, Choice, Citation, Json, Part, Reply, TokenLogprob } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { readAnnotations, writeAnnotation } from '../openai/annotations.ts'
import { callsOf } from '../parts.ts'
import { badReply, callId, compact, defined, extrasOf, fromUpstream, isObject, isString } from '../wire.ts'
import { ID, readPart, writeSaid } from './content.ts'
import { failureOf } from './error.ts'
import { readFinish, writeFinish } from './finish.ts'
import { readDrawn, writeDrawn } from './images.ts'
import { readCall, writeCall } from './items.ts'
import { ungroup } from './namespaces.ts'
import { ownReasoning, readReasoning } from './reasoning.ts'
import { envelope, itemId, ownId } from './response.ts'
import { searchIn, writeSearch } from './searches.ts'
import { readResponseUsage, writeUsage } from './usage.ts'

const KNOWN = new Set([
  'id',
  'object',
  'created_at',
  'model',
  'output',
  'usage',
  'status',
  'incomplete_details',
  'error',
])

export function readReply(body: Json): Reply {
  const failure = failureOf(body)
  if (failure) throw new UpstreamFailure(failure)
  const { output } = body
  if (!Array.isArray(output)) throw badReply('The answer holds no output.')
  const parts = fromUpstream(() => output.flatMap(readOutput))
  return defined<Reply>({
    id: isString(body.id) ? body.id : '',
    model: isString(body.model) ? body.model : '',
    created: typeof body.created_at === 'number' ? body.created_at : 0,
    choices: [
      defined<Choice>({
        index: 0,
        parts,
        finish: readFinish(body, callsOf(parts).length > 0),
        logprobs: logprobsIn(output),
        ...sourcesIn(output),
      } as Choice),
    ],
    usage: readResponseUsage(body),
    extras: extrasOf(ID, body, KNOWN),
  } as Reply)
}

function readOutput(item: unknown, index: number): Part[] {
  const path = `output[${index}]`
  if (!isObject(item)) throw badReply('An item of the output is not an object.')
  switch (item.type) {
    case 'message':
      return (Array.isArray(item.content) ? item.content : []).map((part) => {
        if (!isObject(part)) throw badReply('A part of a message is not an object.')
        const { logprobs: _, ...rest } = part
        return readPart(rest, path)
      })
    case 'function_call':
      return [readCall(item, path)]
    case 'reasoning':
      return [readReasoning(item)]
    default: {
      const drawn = readDrawn(item)
      if (drawn) return [drawn]
      return [{ type: 'foreign', extras: { dialect: ID, fields: item } }]
    }
  }
}

function logprobsIn(output: unknown[]): TokenLogprob[] | undefined {
  const found: TokenLogprob[] = []
  for (const item of output) {
    if (!isObject(item) || !Array.isArray(item.content)) continue
    for (const part of item.content) {
      if (isObject(part) && Array.isArray(part.logprobs)) found.push(...(part.logprobs as TokenLogprob[]))
    }
  }
  return found.length > 0 ? found : undefined
}

/** The pages that the texts come from, and what was searched for them. */
function sourcesIn(output: unknown[]): Pick<Choice, 'citations' | 'searches'> {
  const citations: Citation[] = []
  const searches: string[] = []
  let offset = 0
  for (const item of output.filter(isObject)) {
    const query = searchIn(item)
    if (query !== undefined) searches.push(query)
    for (const part of item.type === 'message' && Array.isArray(item.content) ? item.content.filter(isObject) : []) {
      citations.push(...readAnnotations(part.annotations, offset))
      if (isString(part.text)) offset += part.text.length
    }
  }
  return { ...(citations.length > 0 ? { citations } : {}), ...(searches.length > 0 ? { searches } : {}) }
}

export function writeReply(reply: Reply, chat: Chat, answering: Answering): Json {
  const choice = reply.choices[0] ?? { index: 0, parts: [] }
  const status = choice.finish ? writeFinish(choice.finish) : { status: 'in_progress', incomplete_details: null }
  const own = reply.extras?.dialect === ID ? reply.extras.fields : {}
  const made = envelope(chat, answering)
  return {
    ...made,
    ...own,
    id: ownId(reply.id) ?? made.id,
    created_at: reply.created || answering.created,
    ...status,
    model: reply.model || chat.model,
    output: writeOutput(choice, answering, status.status, ungroup(chat)),
    usage: reply.usage ? writeUsage(reply.usage) : null,
  }
}

type Ungroup = ReturnType<typeof ungroup>

function writeOutput(choice: Choice, answering: Answering, status: string, known: Ungroup): Json[] {
  const isOwn = choice.parts.some((part) => part.type === 'foreign' && searchIn(part.extras.fields) !== undefined)
  const items: Json[] = (isOwn ? [] : (choice.searches ?? [])).map((query, index) =>
    writeSearch(query, itemId('ws', answering, index)),
  )
  /** Characters of text so far. */
  let offset = 0
  let said: Json[] | undefined
  let calls = 0
  for (const part of choice.parts) {
    const id = (prefix: string) => itemId(prefix, answering, items.length)
    if (part.type === 'text' || part.type === 'refusal') {
      if (!said) {
        said = []
        items.push({ id: id('msg'), type: 'message', status, role: 'assistant', content: said })
      }
      const first = said.length === 0 && part.type === 'text'
      const written = writeSaid(part, part.type === 'text' ? annotationsOf(choice.citations, offset, part.text) : [])
      if (part.type === 'text') offset += part.text.length
      said.push(first && choice.logprobs ? { ...written, logprobs: choice.logprobs } : written)
      continue
    }
    said = undefined
    const item = writeItem(part, id, status, known, () => callId(answering.id, 0, calls++))
    if (item) items.push(item)
  }
  return items
}

/** Those that lie in this text; those of nobody knows what, in the first one. */
function annotationsOf(citations: readonly Citation[] = [], offset: number, text: string): Json[] {
  return citations
    .filter(({ start }) => (start === undefined ? offset === 0 : start >= offset && start < offset + text.length))
    .map((one) => writeAnnotation(one, offset, text.length))
}

function writeItem(
  part: Part,
  id: (prefix: string) => string,
  status: string,
  known: Ungroup,
  makeId: () => string,
): Json | undefined {
  switch (part.type) {
    case 'call': {
      const made = makeId()
      const own = part.extras?.dialect === ID ? part.extras.fields : {}
      return { id: id('fc'), status, ...writeCall({ ...part, id: part.id || made }), ...known(part.name), ...own }
    }
    case 'thinking':
      return (
        ownReasoning(part) ??
        compact({ id: id('rs'), type: 'reasoning', summary: [{ type: 'summary_text', text: part.text }] })
      )
    case 'image':
      return writeDrawn(part, id('ig'))
    case 'foreign':
      return part.extras.dialect === ID ? part.extras.fields : undefined
    default:
      return undefined
  }
}
