/** Recorded exchanges, and the few steps that every test of dialects takes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NO_USAGE, type Usage } from '../../src/core/usage.ts'
import type { Chat, DialectId, Event, Json, Part, Reply } from '../../src/dialects/canonical.ts'
import type { FramedEvent } from '../../src/dialects/carry.ts'
import type { Answering, ChatDialect, ChatTarget, EmbedDialect, Frame, Warn } from '../../src/dialects/dialect.ts'
import { EventStreamFramer } from '../../src/dialects/eventstream.ts'
import { dialects } from '../../src/dialects/index.ts'
import { NdjsonFramer } from '../../src/dialects/ndjson.ts'
import { SseFramer } from '../../src/dialects/sse.ts'

export interface Fixture {
  name: string
  note?: string
  request: { method: string; path: string; body?: unknown }
  response: { status: number; headers: Record<string, string>; body: string; aborted?: boolean }
}

const FOLDER = join(import.meta.dir, 'fixtures', 'ollama')

export const fixtures: Fixture[] = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.json'))
  .sort()
  .map((path) => JSON.parse(readFileSync(join(FOLDER, path), 'utf8')) as Fixture)

export function fixture(name: string): Fixture {
  const found = fixtures.find((one) => one.name === name)
  if (!found) throw new Error(`There is no fixture named ${name}.`)
  return found
}

const PATHS: Record<string, DialectId> = {
  '/api/chat': 'ollama-chat',
  '/api/generate': 'ollama-generate',
  '/api/embed': 'ollama-embed',
  '/api/embeddings': 'ollama-embeddings',
  '/v1/chat/completions': 'openai-chat',
  '/v1/completions': 'openai-completions',
  '/v1/responses': 'openai-responses',
  '/v1/embeddings': 'openai-embeddings',
  '/v1/messages': 'anthropic',
}
export const dialectOf = (one: Fixture): DialectId | undefined => PATHS[one.request.path]

export const chatDialects = Object.values(dialects).filter((d): d is ChatDialect => d.op === 'chat')
export const chat = (id: DialectId): ChatDialect => dialects[id] as ChatDialect
export const embed = (id: DialectId): EmbedDialect => dialects[id] as EmbedDialect

export const ANSWERING: Answering = { id: 'req_0123456789abcdef', created: 1_795_000_000 }

/** A request that nothing is special about. */
export const plainChat = (more: Partial<Chat> = {}): Chat => ({
  op: 'chat',
  shape: 'messages',
  model: 'alias',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
  stream: true,
  extras: { dialect: 'openai-chat', fields: {} },
  ...more,
})

export const framerOf = ({ framing }: ChatTarget) =>
  framing === 'eventstream' ? new EventStreamFramer() : framing === 'sse' ? new SseFramer() : new NdjsonFramer()

export function framesOf(dialect: ChatTarget, body: string | Uint8Array, cut = Number.MAX_SAFE_INTEGER): Frame[] {
  const framer = framerOf(dialect)
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const events: FramedEvent[] = []
  for (let at = 0; at < bytes.length; at += cut) events.push(...framer.push(bytes.slice(at, at + cut)))
  events.push(...framer.end())
  return events.flatMap(({ frame }) => (frame ? [frame] : []))
}

export function eventsIn(dialect: ChatDialect, body: string): Event[] {
  const read = dialect.reader()
  return framesOf(dialect, body).flatMap(read)
}

export function write(
  dialect: ChatDialect,
  events: readonly Event[],
  request = plainChat(),
  answering = ANSWERING,
): string {
  const say = dialect.writer(request, answering)
  return events.map(say).join('')
}

/** Warnings by their names, and how they were meant. */
export function warnings(): { warn: Warn; lost: string[]; adapted: string[] } {
  const lost: string[] = []
  const adapted: string[] = []
  const warn: Warn = Object.assign((param: string) => void lost.push(param), {
    adapted: (param: string) => void adapted.push(param),
  })
  return { warn, lost, adapted }
}

/** What an answer says, whichever way it came. */
export interface Said {
  model: string
  text: string
  thinking: string
  calls: { name: string; args: unknown }[]
  finish: string | undefined
  usage: Usage | undefined
}

export function saidInEvents(events: readonly Event[]): Said {
  const said: Said = { model: '', text: '', thinking: '', calls: [], finish: undefined, usage: undefined }
  const args: string[] = []
  for (const event of events) {
    if (event.type === 'start') said.model = event.model ?? ''
    if (event.type === 'text') said.text += event.text
    if (event.type === 'thinking') said.thinking += event.text
    if (event.type === 'call') said.calls[event.index] = { name: event.name, args: undefined }
    if (event.type === 'args') args[event.index] = (args[event.index] ?? '') + event.text
    if (event.type === 'finish') said.finish = event.reason.unified
    if (event.type === 'usage') said.usage = tokensOf(event.usage)
  }
  for (const [index, call] of said.calls.entries()) call.args = JSON.parse(args[index] || '{}')
  return said
}

const textOf = (parts: readonly Part[], type: 'text' | 'thinking') =>
  parts.flatMap((part) => (part.type === type ? [part.text] : [])).join('')

export function saidInReply(reply: Reply): Said {
  const [choice] = reply.choices
  const parts = choice?.parts ?? []
  return {
    model: reply.model,
    text: textOf(parts, 'text'),
    thinking: textOf(parts, 'thinking'),
    calls: parts.flatMap((part) =>
      part.type === 'call' ? [{ name: part.name, args: JSON.parse(part.args || '{}') }] : [],
    ),
    finish: choice?.finish?.unified,
    usage: reply.usage && tokensOf(reply.usage),
  }
}

/** What is left of an answer in a dialect that only continues texts, or that counts less. */
/** Tokens are told from one dialect to another; the machine's time, searches and the service are for the ledger. */
function tokensOf(counted: Usage): Usage {
  const { service: _, ...counts } = counted
  return { ...counts, gpuMs: 0, searches: 0 }
}

export function asSaidIn(said: Said, dialect: DialectId): Said {
  const isBare = dialect === 'openai-completions' || dialect === 'ollama-generate'
  const isOllama = dialect.startsWith('ollama')
  return {
    ...said,
    thinking: dialect === 'openai-completions' ? '' : said.thinking,
    calls: isBare ? [] : said.calls,
    finish: isBare && said.finish === 'tool-calls' ? 'stop' : said.finish,
    usage: said.usage && isOllama ? { ...NO_USAGE, input: said.usage.input, output: said.usage.output } : said.usage,
  }
}

export const json = (text: string): Json => JSON.parse(text) as Json
