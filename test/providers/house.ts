/** A link as a configuration makes it, what it would send, and what it makes of an answer. */
import { expect } from 'bun:test'
import { stringify } from 'yaml'
import { providers } from '../../providers/index.ts'
import { load } from '../../src/config/load.ts'
import { showProblem } from '../../src/config/problem.ts'
import type { Failure } from '../../src/core/failure.ts'
import type { Usage } from '../../src/core/usage.ts'
import type { Chat, Embed, Event, Json, WireId } from '../../src/dialects/canonical.ts'
import type { ChatTarget, EmbedTarget, TargetDialect } from '../../src/dialects/dialect.ts'
import { EventStreamFramer } from '../../src/dialects/eventstream.ts'
import { targetDialects } from '../../src/dialects/index.ts'
import { NdjsonFramer } from '../../src/dialects/ndjson.ts'
import { SseFramer } from '../../src/dialects/sse.ts'
import { failureOf } from '../../src/upstream/classify.ts'
import type { Link } from '../../src/upstream/link.ts'
import { linkFor } from '../../src/upstream/registry.ts'
import { send } from '../../src/upstream/send.ts'
import { plainWays } from '../support/ways.ts'

type Env = Readonly<Record<string, string | undefined>>
export type Params = Readonly<Record<string, unknown>>

const TIMEOUTS = { connect: 1_000, firstByte: 1_000, idle: 1_000, total: 1_000 }

/**
 * @param warned whether the configuration may be warned of
 * @throws Error where the configuration is refused, or the provider can't be reached with it
 */
export function linkOf(model: string, params: Params = {}, env: Env = {}, warned = false): Link {
  const text = stringify({ model_list: [{ model_name: 'it', litellm_params: { model, ...params } }] })
  const loaded = load(text, env, providers)
  if (!loaded.ok) throw new Error(loaded.errors.map((error) => showProblem('t.yaml', error)).join('\n'))
  if (!warned) expect(loaded.warnings).toEqual([])
  const [first] = loaded.config.models
  if (!first) throw new Error('no model')
  return linkFor(first, TIMEOUTS, env, plainWays)
}

export const dialectOf = (id: WireId): TargetDialect => targetDialects[id]

/** The first dialect of a kind that the link speaks. */
export function wireOf(link: Link, op: 'chat' | 'embed'): WireId {
  const found = link.speaks.find((id) => dialectOf(id).op === op)
  if (!found) throw new Error(`${link.target.provider} has no ${op}`)
  return found
}

export const chatOf = (more: Partial<Chat> = {}): Chat => ({
  op: 'chat',
  shape: 'messages',
  model: '',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
  stream: false,
  extras: { dialect: 'openai-chat', fields: {} },
  ...more,
})

export const embedOf = (more: Partial<Embed> = {}): Embed => ({
  op: 'embed',
  model: '',
  input: ['Hello'],
  single: true,
  extras: { dialect: 'openai-embeddings', fields: {} },
  ...more,
})

export interface Sent {
  method: string
  url: string
  headers: Record<string, string>
  body: Json
  /** As it went over the wire. */
  text: string
}

/** What goes out for a question, in the link's own dialect of that kind; the network is played by `answer`. */
export async function sent(
  link: Link,
  asked: Chat | Embed,
  answer: (request: Request) => Response | Promise<Response> = () => new Response('{}'),
): Promise<Sent> {
  const id = wireOf(link, asked.op)
  const { body, lost } = written(id, { ...asked, model: link.target.model })
  expect(lost).toEqual([])
  return await sentAs(link, id, body, asked.op === 'chat' && asked.stream, answer)
}

/** The body in a dialect, and what could not be said in it. */
export function written(id: WireId, asked: Chat | Embed): { body: Json; lost: string[]; adapted: string[] } {
  const lost: string[] = []
  const adapted: string[] = []
  const warn = Object.assign((param: string) => void lost.push(param), {
    adapted: (param: string) => void adapted.push(param),
  })
  const dialect = dialectOf(id)
  const body =
    asked.op === 'chat'
      ? (dialect as ChatTarget).writeRequest(asked, warn)
      : (dialect as EmbedTarget).writeRequest(asked, warn)
  return { body: JSON.parse(JSON.stringify(body)) as Json, lost, adapted }
}

const QUIET = Object.assign(() => {}, { adapted: () => {} })

/** The same for a body that is there already. */
export async function sentAs(
  link: Link,
  id: WireId,
  body: Json,
  stream = false,
  answer: (request: Request) => Response | Promise<Response> = () => new Response('{}'),
): Promise<Sent> {
  const text = JSON.stringify(link.amend(id, body, QUIET))
  let last: Request | undefined
  await overNetwork(
    async (request) => {
      last = request.clone() as Request
      return await answer(request)
    },
    () => send(link, dialectOf(id), text, stream, AbortSignal.timeout(5_000)),
  )
  if (!last) throw new Error('nothing was sent')
  const wire = await last.text()
  return {
    method: last.method,
    url: last.url,
    headers: Object.fromEntries(last.headers),
    body: JSON.parse(wire) as Json,
    text: wire,
  }
}

/** Runs `work` with the network played by `answer`. */
export async function overNetwork<T>(
  answer: (request: Request) => Response | Promise<Response>,
  work: () => Promise<T>,
): Promise<T> {
  const real = globalThis.fetch
  const played = async (...args: ConstructorParameters<typeof Request>) => await answer(new Request(...args))
  globalThis.fetch = Object.assign(played, { preconnect: real.preconnect }) as typeof fetch
  try {
    return await work()
  } finally {
    globalThis.fetch = real
  }
}

const FRAMERS = { sse: SseFramer, ndjson: NdjsonFramer, eventstream: EventStreamFramer }

/** A stream's bytes, cut as given, as events of ours. */
export function eventsOf(id: WireId, bytes: Uint8Array, cut = Number.MAX_SAFE_INTEGER): Event[] {
  const dialect = dialectOf(id) as ChatTarget
  const framer = new FRAMERS[dialect.framing]()
  const read = dialect.reader()
  const events: Event[] = []
  const take = (framed: { frame: { data: string } | undefined }[]) => {
    for (const { frame } of framed) if (frame) events.push(...read(frame))
  }
  for (let at = 0; at < bytes.length; at += cut) take(framer.push(bytes.slice(at, at + cut)))
  take(framer.end())
  return events
}

/** What a stream said: all its text, its thinking, its calls with their arguments, its end and its usage. */
export function told(events: readonly Event[]) {
  const calls: { id: string; name: string; args: string }[] = []
  let text = ''
  let thinking = ''
  let finish: string | undefined
  let usage: Usage | undefined
  for (const event of events) {
    if (event.type === 'text') text += event.text
    else if (event.type === 'thinking') thinking += event.text
    else if (event.type === 'call') calls[event.index] = { id: event.id, name: event.name, args: '' }
    else if (event.type === 'args') (calls[event.index] as { args: string }).args += event.text
    else if (event.type === 'finish') finish = event.reason.unified
    else if (event.type === 'usage') usage = event.usage
  }
  return { text, thinking, calls, finish, usage }
}

/** What an error answer of the provider's is taken for. */
export function failure(link: Link, status: number, body: string, headers: Record<string, string> = {}): Failure {
  const id = link.speaks[0] as WireId
  return failureOf(new Response(null, { status, headers }), body, dialectOf(id), link.provider)
}
