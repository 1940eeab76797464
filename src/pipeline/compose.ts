/** The body for one target: the caller's own bytes where the target speaks his dialect, else written anew. */

import { Refusal } from '../core/refusal.ts'
import type { Chat, Embed, Json, Rerank } from '../dialects/canonical.ts'
import type {
  ChatDialect,
  ChatTarget,
  Dialect,
  EmbedTarget,
  RerankTarget,
  TargetDialect,
  Warn,
} from '../dialects/dialect.ts'
import { fit } from '../dialects/fit.ts'
import { forceFormat } from '../dialects/forced-format.ts'
import { dialects, targetDialects } from '../dialects/index.ts'
import { withField } from '../dialects/multipart.ts'
import { readJson } from '../dialects/read-json.ts'
import { edit, splice } from '../dialects/splice.ts'
import type { Link } from '../upstream/link.ts'
import { speakers } from '../upstream/registry.ts'
import type { Call } from './call.ts'

export interface Composed {
  /** The dialect that goes over the wire to the target. */
  dialect: TargetDialect
  body: Uint8Array | string
  /** The caller's own headers that go along. */
  headers: Readonly<Record<string, string>> | undefined
  /** The answer has to be read and written, and is not relayed. */
  translated: boolean
  /** Its structured output was asked for as a tool. */
  forced: boolean
}

/**
 * @param watched a whole answer is asked for as a stream
 * @param affordable tokens that all answers together must be cut to because money asks for it; undefined = as asked
 * @throws Refusal unsupported_parameter where the target cannot be told something and it must not be dropped
 */
export function compose(call: Call, link: Link, affordable: number | undefined, watched = false): Composed {
  const maxOutput = affordable === undefined ? undefined : Math.floor(affordable / call.peek.n)
  const dialect = dialectFor(call.door.dialect, link)
  const { chat, forced } = fitted(call, link)
  const seesAnswers = dialect.op !== 'forward' && call.screening?.seesAnswers === true
  if (dialect !== call.door.dialect || chat || call.resumed || call.isRewritten || seesAnswers) {
    const body = JSON.stringify(
      translated(call, link, dialect, maxOutput, streamed(chat ?? canonicalOf(call), watched)),
    )
    const headers = dialect === call.door.dialect ? passed(call, call.door.dialect) : undefined
    return { dialect, body, headers, translated: true, forced }
  }
  const headers = passed(call, call.door.dialect)
  if (call.form)
    return { dialect, body: withField(call.bytes, call.form, 'model', link.target.model), headers, ...RELAYED }
  const edits = editsFor(call, link, call.door.dialect, maxOutput, watched)
  const unsigned = withoutSignatures(call, link)
  const amended = (body: Json) => JSON.stringify(link.amend(dialect.id, body, warnFor(call, link)))
  if (unsigned) return { dialect, body: amended({ ...unsigned, ...edits }), headers, ...RELAYED }
  const spliced = splice(call.bytes, edits, call.peek.scan)
  if (!link.amends(dialect.id)) return { dialect, body: spliced, headers, ...RELAYED }
  const body: Json = { ...link.target.defaults, ...link.extraBody, ...parse(spliced) }
  return { dialect, body: amended(body), headers, ...RELAYED }
}

const RELAYED = { translated: false, forced: false } as const

/** The request cut to what the target can do, where that is less than what is asked; most can do all of it. */
function fitted(call: Call, link: Link): { chat: Chat | undefined; forced: boolean } {
  const { abilities } = link.target
  if (call.door.dialect.op !== 'chat' || !link.lacks) return { chat: undefined, forced: false }
  const asked = canonicalOf(call) as Chat
  const chat = fit(asked, abilities, call.peek.model, warnFor(call, link))
  const forced = abilities.schema === false && chat.format?.kind === 'schema'
  const last = forced ? forceFormat(chat) : chat
  return { chat: last === asked ? undefined : last, forced }
}

/** One of these stands in every body that holds signed thinking: the others need not be parsed to see that. */
const SIGNED = ['"thinking"', '"redacted_thinking"', '"reasoning"', 'hought']

/**
 * The body without signed thinking, where failing over has changed the model, and without what we made up ourselves for a
 * caller of other models; undefined where there is none to lose.
 */
function withoutSignatures(call: Call, link: Link): Json | undefined {
  const { dialect } = call.door
  if (dialect.op !== 'chat') return undefined
  const bytes = Buffer.from(call.bytes.buffer, call.bytes.byteOffset, call.bytes.byteLength)
  const holds = (words: readonly string[] = []) => words.some((word) => bytes.includes(word))
  const isOther = isAnother(call, link)
  const maySign = isOther && dialect.unsign !== undefined && holds(SIGNED)
  const isOurs = holds(dialect.disown?.marks)
  if (!maySign && !isOurs) return undefined
  const body = parse(call.bytes)
  return strip(call, link, body) ? body : undefined
}

/** Takes both out of a body of the caller's own dialect, in place. Whether there was any. */
function strip(call: Call, link: Link, body: Json): boolean {
  const { dialect } = call.door
  if (dialect.op !== 'chat') return false
  const unsigned = isAnother(call, link) && dialect.unsign?.(body) === true
  const disowned = dialect.disown?.from(body) === true
  if (unsigned && !call.dropped.includes('thinking')) call.dropped.push('thinking')
  return unsigned || disowned
}

/** Whether failing over has changed the model. */
function isAnother({ stages }: Call, link: Link): boolean {
  const first = stages[0]?.targets[0]
  return first !== undefined && first.model !== link.target.model
}

/** Headers that mean something to a target of the caller's own dialect; a form's content-type holds its boundary. */
function passed(call: Call, dialect: Dialect): Record<string, string> | undefined {
  if (!dialect.passes && !call.form) return undefined
  const headers: Record<string, string> = {}
  for (const name of call.form ? ['content-type', ...(dialect.passes ?? [])] : (dialect.passes ?? [])) {
    const value = call.request.headers.get(name)
    if (value !== null) headers[name] = value
  }
  return headers
}

/** The caller's dialect where the provider speaks it; else the first of the same kind that it speaks. */
export function dialectFor(caller: Dialect, link: Link): TargetDialect {
  if (link.speaksDialect(caller.id)) return caller
  const other =
    caller.op === 'forward' ? undefined : link.speaks.map((id) => targetDialects[id]).find((d) => d.op === caller.op)
  if (other) return other
  throw notOffered(caller, link)
}

const OPERATIONS = { embed: 'embeddings', chat: 'chat', rerank: 'reranking' } as const

/** Says what to do instead: who has it is known. */
function notOffered(caller: Dialect, { target }: Link): Refusal {
  const what = caller.op === 'forward' ? caller.id.replace(/^openai-/, '') : OPERATIONS[caller.op]
  const ids = Object.values(targetDialects).filter((d) => (caller.op === 'forward' ? d === caller : d.op === caller.op))
  const others = speakers(ids.map(({ id }) => id))
  const named = others.length > MOST_NAMED ? 'most others' : others.join(', ')
  return new Refusal(
    'unsupported_parameter',
    `The model '${target.alias}' has no ${what}: ${target.provider} does not offer it. Name a model of a provider that does: ${named}.`,
    { param: 'model' },
  )
}

/** A longer list helps nobody. */
const MOST_NAMED = 40

function editsFor(call: Call, link: Link, dialect: Dialect, maxOutput: number | undefined, watched: boolean): Json {
  const { peek, bytes } = call
  const edits: Json = {}
  if (peek.model !== link.target.model && !dialect.fields.asksInPath) edits.model = link.target.model
  if (maxOutput !== undefined)
    Object.assign(
      edits,
      edit(bytes, peek.scan, peek.maxTokensField ?? (dialect.fields.maxTokens.at(-1) as string), maxOutput),
    )
  // Usage comes only where it is asked for; the chunk is taken out again where the caller did not ask.
  if (
    (watched || (peek.stream && !peek.includeUsage)) &&
    (dialect.id === 'openai-chat' || dialect.id === 'openai-completions')
  )
    Object.assign(edits, edit(bytes, peek.scan, 'stream_options.include_usage', true))
  if (watched) edits.stream = true
  return edits
}

/** The request as one for a stream, where its answer is watched. */
const streamed = <T extends Chat | Embed | Rerank>(asked: T, watched: boolean): T =>
  watched ? { ...asked, stream: true } : asked

/** The request in canonical form; read once. */
export function canonicalOf(call: Call): Chat | Embed | Rerank {
  const { dialect } = call.door
  if (dialect.op === 'forward') throw new Error('what is forwarded is not translated')
  // What the path says stands in the body for whoever reads it.
  const said = dialect.fields.asksInPath ? call.door.said : undefined
  call.canonical ??= dialect.readRequest({ ...parse(call.bytes), ...said })
  return call.canonical
}

/** A parameter that the target can't be told is refused by name, or left out and told in a header. */
function warnFor(call: Call, link: Link): Warn {
  const told = (param: string) => {
    if (!call.dropped.includes(param)) call.dropped.push(param)
  }
  const refuseOrTell = (param: string, reason: string) => {
    const drop = link.dropParams ?? call.snapshot.policy.dropParams
    if (!drop)
      throw new Refusal(
        'unsupported_parameter',
        `'${param}' can't be passed on to ${link.target.provider} (${link.target.alias}): ${reason}. Leave it out, or let the operator set drop_params: true.`,
        { param },
      )
    told(param)
  }
  // What is only said in another way is worth a word in the header, never a refusal.
  return Object.assign(refuseOrTell, { adapted: told })
}

function translated(
  call: Call,
  link: Link,
  to: TargetDialect,
  maxOutput: number | undefined,
  canonical: Chat | Embed | Rerank,
): Json {
  const warn = warnFor(call, link)
  const defaults = link.hasDefaults ? withDefaults(canonical, link) : canonical
  const mine = { ...defaults, model: link.target.model }
  if (mine.op === 'chat' && maxOutput !== undefined) mine.maxTokens = maxOutput
  const body = written(to, mine, warn)
  if (to === call.door.dialect) strip(call, link, body)
  return link.amend(to.id, { ...link.extraBody, ...body }, warn)
}

function written(to: TargetDialect, mine: Chat | Embed | Rerank, warn: Warn): Json {
  if (mine.op === 'chat') return (to as ChatTarget).writeRequest(mine, warn)
  return mine.op === 'embed'
    ? (to as EmbedTarget).writeRequest(mine, warn)
    : (to as RerankTarget).writeRequest(mine, warn)
}

/** The target's default parameters stand in OpenAI's words: they are read as an OpenAI request would be. */
function withDefaults(canonical: Chat | Embed | Rerank, link: Link): Chat | Embed | Rerank {
  if (canonical.op !== 'chat') return canonical
  const openai = dialects['openai-chat'] as ChatDialect
  const {
    messages: _m,
    model: _o,
    stream: _s,
    op: _p,
    shape: _h,
    extras: _e,
    ...defaults
  } = openai.readRequest({
    model: link.target.model,
    messages: [{ role: 'user', content: '' }],
    ...link.target.defaults,
  })
  return { ...defaults, ...canonical }
}

const parse = (bytes: Uint8Array): Json => readJson(bytes) as Json
