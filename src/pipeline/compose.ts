/** The body for one target: the caller's own bytes where the target speaks his dialect, else written anew. */
import { Refusal } from '../core/refusal.ts'
import type { Chat, Embed, Json } from '../dialects/canonical.ts'
import type { ChatDialect, Dialect, EmbedDialect, Warn } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import { edit, splice } from '../dialects/splice.ts'
import type { Link } from '../upstream/link.ts'
import type { Call } from './call.ts'

export interface Composed {
  /** The dialect that goes over the wire to the target. */
  dialect: Dialect
  body: Uint8Array | string
}

/**
 * @param affordable tokens that all answers together must be cut to because money asks for it; undefined = as asked
 * @throws Refusal unsupported_parameter where the target cannot be told something and it must not be dropped
 */
export function compose(call: Call, link: Link, affordable: number | undefined): Composed {
  const maxOutput = affordable === undefined ? undefined : Math.floor(affordable / call.peek.n)
  const dialect = dialectFor(call.door.dialect, link)
  if (dialect !== call.door.dialect)
    return { dialect, body: JSON.stringify(translated(call, link, dialect, maxOutput)) }
  const edits = editsFor(call, link, dialect, maxOutput)
  const spliced = splice(call.bytes, edits, call.peek.scan)
  if (!link.amends(dialect.id)) return { dialect, body: spliced }
  const body: Json = { ...link.target.defaults, ...link.extraBody, ...parse(spliced) }
  return { dialect, body: JSON.stringify(link.amend(dialect.id, body)) }
}

/** The caller's dialect where the provider speaks it; else the first of the same kind that it speaks. */
function dialectFor(caller: Dialect, link: Link): Dialect {
  if (link.speaksDialect(caller.id)) return caller
  const other = link.speaks.map((id) => dialects[id]).find((d) => d.op === caller.op)
  if (other) return other
  const what = caller.op === 'embed' ? 'embeddings' : 'chat'
  throw new Refusal('unsupported_parameter', `The model '${link.target.alias}' has no ${what}: choose another model.`, {
    param: 'model',
  })
}

function editsFor(call: Call, link: Link, dialect: Dialect, maxOutput: number | undefined): Json {
  const { peek, bytes } = call
  const edits: Json = {}
  if (peek.model !== link.target.model && !dialect.fields.asksInPath) edits.model = link.target.model
  if (maxOutput !== undefined)
    Object.assign(
      edits,
      edit(bytes, peek.scan, peek.maxTokensField ?? (dialect.fields.maxTokens.at(-1) as string), maxOutput),
    )
  // Usage comes only where it is asked for; the chunk is taken out again where the caller did not ask.
  if (peek.stream && !peek.includeUsage && dialect.id.startsWith('openai-'))
    Object.assign(edits, edit(bytes, peek.scan, 'stream_options.include_usage', true))
  return edits
}

function translated(call: Call, link: Link, to: Dialect, maxOutput: number | undefined): Json {
  const from = call.door.dialect
  call.canonical ??= from.readRequest(parse(call.bytes))
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
  const warn: Warn = Object.assign(refuseOrTell, { adapted: told })
  const defaults = link.hasDefaults ? withDefaults(call.canonical, link) : call.canonical
  const mine = { ...defaults, model: link.target.model }
  if (mine.op === 'chat' && maxOutput !== undefined) mine.maxTokens = maxOutput
  const body =
    mine.op === 'chat' ? (to as ChatDialect).writeRequest(mine, warn) : (to as EmbedDialect).writeRequest(mine, warn)
  return link.amend(to.id, { ...link.extraBody, ...body })
}

/** The target's default parameters stand in OpenAI's words: they are read as an OpenAI request would be. */
function withDefaults(canonical: Chat | Embed, link: Link): Chat | Embed {
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

const parse = (bytes: Uint8Array): Json =>
  JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as Json
