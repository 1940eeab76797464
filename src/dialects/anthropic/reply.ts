/** A whole answer in Anthropic's words, both ways. */
import { UpstreamFailure } from '../../core/failure.ts'
import { NO_USAGE } from '../../core/usage.ts'
import type { Chat, Choice, Citation, Json, Part, Reply } from '../canonical.ts'
import type { Answering } from '../dialect.ts'
import { failureIn } from '../failure-of.ts'
import { BROKEN_ARGS } from '../ollama-chat/reply.ts'
import { callsOf, imageNote } from '../parts.ts'
import { argsObject, badReply, callId, defined, extrasOf, fromUpstream, isObject, isString } from '../wire.ts'
import { readCitation, writeCitation } from './citations.ts'
import { callId as cleanId, ID, readBlock } from './content.ts'
import { readFinish, writeFinish } from './finish.ts'
import { readUsage, writeUsage } from './usage.ts'

const KNOWN = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'])

export function readReply(body: Json): Reply {
  const failure = failureIn(body)
  if (failure) throw new UpstreamFailure(failure)
  if (!Array.isArray(body.content)) throw badReply('The answer holds no content.')
  const parts = body.content.map((block, index) => {
    if (!isObject(block)) throw badReply('A block of the answer is not an object.')
    return fromUpstream(() => readBlock(block, `content.${index}`))
  })
  const finish = readFinish(body.stop_reason, body.stop_sequence)
  return defined<Reply>({
    id: isString(body.id) ? body.id : '',
    model: isString(body.model) ? body.model : '',
    created: 0,
    choices: [defined<Choice>({ index: 0, parts, finish, ...sourcesIn(body.content) } as Choice)],
    usage: readUsage(body.usage),
    extras: extrasOf(ID, body, KNOWN),
  } as Reply)
}

/** The pages that its texts come from, and what was searched for them. */
function sourcesIn(content: unknown[]): Pick<Choice, 'citations' | 'searches'> {
  const citations: Citation[] = []
  const searches: string[] = []
  let start = 0
  for (const block of content.filter(isObject)) {
    if (block.type === 'server_tool_use' && isObject(block.input) && isString(block.input.query))
      searches.push(block.input.query)
    if (block.type !== 'text' || !isString(block.text)) continue
    const span = { start, end: start + block.text.length }
    start = span.end
    for (const one of Array.isArray(block.citations) ? block.citations : []) {
      const read = readCitation(one, span)
      if (read) citations.push(read)
    }
  }
  return { ...(citations.length > 0 ? { citations } : {}), ...(searches.length > 0 ? { searches } : {}) }
}

/** A text as one block for each piece that is cited, and for what is between them. */
function citedBlocks(text: string, offset: number, citations: readonly Citation[]): Json[] {
  const length = text.length
  const place = (at: number | undefined, otherwise: number) => Math.min(Math.max((at ?? otherwise) - offset, 0), length)
  const spans = citations
    .map((citation) => ({ citation, from: place(citation.start, offset), to: place(citation.end, offset + length) }))
    .filter(({ from, to }) => to > from)
  const edges = [...new Set([0, length, ...spans.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b)
  return edges.slice(1).map((to, i) => {
    const from = edges[i] as number
    const here = spans
      .filter((span) => span.from <= from && span.to >= to)
      .map(({ citation }) => writeCitation(citation))
    return { type: 'text', text: text.slice(from, to), ...(here.length > 0 ? { citations: here } : {}) }
  })
}

export function writeReply(reply: Reply, chat: Chat, answering: Answering): Json {
  const choice = reply.choices[0] ?? { index: 0, parts: [] }
  let offset = 0
  const content = choice.parts.flatMap((part) => {
    if (part.type !== 'text') return writeBlock(part, choice, answering)
    const before = offset
    offset += part.text.length
    const isOwn = part.extras?.dialect === ID
    return isOwn || !choice.citations || part.text === ''
      ? writeBlock(part, choice, answering)
      : citedBlocks(part.text, before, choice.citations)
  })
  return {
    id: reply.id || messageId(answering),
    type: 'message',
    role: 'assistant',
    model: reply.model || chat.model,
    content,
    ...writeFinish(choice.finish),
    usage: writeUsage(reply.usage ?? NO_USAGE),
    ...(reply.extras?.dialect === ID ? reply.extras.fields : {}),
  }
}

export const messageId = (answering: Answering): string =>
  answering.id.startsWith('msg_') ? answering.id : `msg_${answering.id.replace(/[^a-zA-Z0-9]/g, '')}`

function writeBlock(part: Part, choice: Choice, answering: Answering): Json[] {
  const extras = 'extras' in part && part.extras?.dialect === ID ? part.extras.fields : {}
  switch (part.type) {
    case 'text':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, ...extras }]
    case 'refusal':
      return [{ type: 'text', text: part.text }]
    case 'image':
      return [{ type: 'text', text: imageNote(part.source) }]
    case 'thinking':
      return [{ type: 'thinking', thinking: part.text, signature: part.signature ?? '', ...extras }]
    case 'redacted_thinking':
      return [{ type: 'redacted_thinking', data: part.data }]
    case 'call': {
      const id = part.id === '' ? callId(answering.id, 0, callsOf(choice.parts).indexOf(part)) : cleanId(part.id)
      try {
        return [{ type: 'tool_use', id, name: part.name, input: argsObject(part.args, BROKEN_ARGS), ...extras }]
      } catch (cause) {
        // Cut in the middle of its arguments: `max_tokens` tells that the answer is not whole.
        if (choice.finish?.unified === 'length') return []
        throw cause
      }
    }
    case 'foreign':
      return part.extras.dialect === ID ? [part.extras.fields] : []
    default:
      return []
  }
}
