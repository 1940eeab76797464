/** What a request asks, as one text that is the same whoever asks it, in whatever order and in whatever dialect. */
import type { CacheRules } from '../../core/cache-rules.ts'
import { stableText } from '../../core/stable-text.ts'
import type { Chat, Json } from '../../dialects/canonical.ts'
import { readJson } from '../../dialects/read-json.ts'
import { isObject } from '../../dialects/wire.ts'
import type { Call } from '../call.ts'

/** What does not change what is answered: how it is sent, and who is told of it. */
const WITHOUT = ['stream', 'includeUsage', 'user', 'metadata'] as const
const WITHOUT_RAW = [
  ...['stream', 'stream_options', 'user', 'metadata', 'litellm_metadata'],
  ...['store', 'safety_identifier', 'prompt_cache_key'],
]

/** The request in canonical form, read from its bytes: what a guard has changed in it since is not what was asked. */
export function askedOf(call: Call): Chat | Json {
  const { dialect, said } = call.door
  if (dialect.op === 'forward') return call.form ? formOf(call) : { ...(readJson(call.bytes) as Json) }
  const json = { ...(readJson(call.bytes) as Json), ...(dialect.fields.asksInPath ? said : undefined) }
  return dialect.readRequest(json) as unknown as Json
}

/** A file is what is in it; the boundary between fields is another one each time. */
function formOf({ form = [], bytes }: Call): Json {
  const text = ({ start, end }: { start: number; end: number }) =>
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64')
  return { form: form.map((part) => [part.name, part.filename !== undefined, text(part)]) }
}

/**
 * @param asked as {@link askedOf} read it
 * @param namespace of the request and of the gateway
 */
export function textOf(call: Call, asked: Chat | Json, rules: CacheRules, namespace: string | undefined): string {
  const { dialect } = call.door
  const alias = call.stages[0]?.alias ?? call.peek.model
  const said: Json = { ...asked, model: alias }
  for (const name of dialect.op === 'forward' ? WITHOUT_RAW : WITHOUT) delete said[name]
  if (isObject(said.extras) && isObject(said.extras.fields)) {
    const fields = { ...said.extras.fields }
    for (const name of WITHOUT_RAW) delete fields[name]
    said.extras = { ...said.extras, fields }
  }
  const passed = dialect.passes?.map((name) => call.request.headers.get(name))
  return stableText({
    v: 1,
    namespace: [rules.namespace, namespace ?? ''],
    // What is forwarded is in its dialect's words; everything else is in one form for all.
    op: dialect.op === 'forward' ? dialect.id : dialect.op,
    passed: passed?.some((value) => value !== null) ? passed : undefined,
    guards: call.guardMark === '' ? undefined : call.guardMark,
    said: plain(said),
  })
}

/** Without the extras that say nothing: they name the dialect that it came in. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const all: Json = {}
  for (const [name, one] of Object.entries(value)) {
    if (name === 'extras' && isEmpty(one)) continue
    all[name] = plain(one)
  }
  return all
}

function isEmpty(extras: unknown): boolean {
  const { fields } = (extras ?? {}) as { fields?: Json }
  return fields !== undefined && Object.keys(fields).length === 0
}
