/** What choosing a target has to know of a request: how much it will be, and whom it has talked to. */
import type { Wanted } from '../core/strategy.ts'
import type { Call } from './call.ts'
import { metadataOf } from './payer.ts'

/** An answer of unknown length counts as this many tokens until it has come. */
const USUAL_ANSWER = 256
/** And one that may be very long as no more than this: a limit is for what is used, not for what might be. */
const LONG_ANSWER = 1_024

export function wantedOf(call: Call): Wanted {
  const input = Math.ceil(call.bytes.byteLength / 4)
  const output = Math.min(call.peek.maxTokens ?? USUAL_ANSWER, LONG_ANSWER)
  const { strategy, overflow, strictLimits } = call.snapshot.policy
  const wanted: Wanted = strategy === 'sticky' ? { input, output, affinity: affinityOf(call) } : { input, output }
  if (strictLimits) wanted.strict = true
  if (overflow.to === 'on_saturation') wanted.spillAfterMs = overflow.afterMs
  return wanted
}

/** Headers by which clients name a conversation. */
const SESSION_HEADERS = ['x-session-id', 'x-litellm-session-id', 'session_id', 'x-litellm-trace-id']
/** Fields of the body that do, the more exact first (OpenAI's cache key is made for just this). */
const SESSION_FIELDS = ['prompt_cache_key', 'session_id', 'litellm_session_id', 'conversation_id']
/** Where a prompt stands in the dialects; what is before the first turn comes first. */
const PROMPT_FIELDS = ['system', 'instructions', 'systemInstruction', 'messages', 'input', 'prompt', 'contents']
/** So much of a prompt is its beginning: more than most clients' fixed first words, less than a conversation's first turn. */
const PREFIX_BYTES = 2_048

/** The session that a request names, else how its prompt begins: the provider's cache and the GPU's know both. */
function affinityOf(call: Call): string | undefined {
  const { headers } = call.request
  for (const name of SESSION_HEADERS) {
    const said = headers.get(name)
    if (said) return said.slice(0, 256)
  }
  const { keys } = call.peek.scan
  const text = (start: number, end: number) =>
    Buffer.from(call.bytes.buffer, call.bytes.byteOffset + start, end - start).toString('latin1')
  for (const field of SESSION_FIELDS) {
    const span = keys.get(field)
    if (span?.kind === 'string') return text(span.start, Math.min(span.end, span.start + 256))
  }
  if (keys.has('metadata')) {
    const { session_id: id } = metadataOf(call)
    if (typeof id === 'string') return id.slice(0, 256)
  }
  let prefix = ''
  for (const field of PROMPT_FIELDS) {
    const span = keys.get(field)
    if (span && prefix.length < PREFIX_BYTES)
      prefix += text(span.start, Math.min(span.end, span.start + PREFIX_BYTES - prefix.length))
  }
  return prefix === '' ? undefined : prefix
}
