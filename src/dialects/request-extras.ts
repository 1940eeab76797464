/** What stands in a request and only some dialects know: written where it is known, named where it is not. */
import type { Chat, Json, WireId } from './canonical.ts'
import type { Warn } from './dialect.ts'
import { REQUEST_HINTS } from './hints.ts'
import { extrasFor } from './wire.ts'

/** Read under another name, so that nothing of it is lost. */
const READ: ReadonlySet<string> = new Set([
  'max_completion_tokens',
  'thinking',
  'stream_options',
  'text',
  'reasoning',
  'include',
  'output_config',
  'generationConfig.thinkingConfig',
  'options',
  'betas',
])
/** Values that ask for what happens anyway. */
const USUAL: Readonly<Record<string, readonly unknown[]>> = {
  store: [false],
  service_tier: ['auto', 'default', 'standard_only'],
  verbosity: ['medium'],
  speed: ['standard'],
}
const OPENAI: ReadonlySet<WireId> = new Set(['openai-chat', 'openai-completions', 'openai-responses'])

/**
 * The caller's own fields where the target speaks his dialect; else none, and each is named: refused or dropped where the
 * answer would be another one, told in a header where it would not (`prediction`, `service_tier`, `metadata`, `user`).
 */
export function requestExtras(dialect: WireId, chat: Chat, warn: Warn): Json {
  const { extras, user, metadata } = chat
  const known = extrasFor(dialect, extras, warn, REQUEST_HINTS)
  if (extras.dialect === dialect) return known
  const tell = (param: string) => warn.adapted?.(param, `the target's dialect (${dialect}) does not know it`)
  for (const [key, value] of Object.entries(extras.fields))
    if (REQUEST_HINTS.has(key) && !READ.has(key) && !USUAL[key]?.includes(value)) tell(key)
  const text = extras.fields.text as Json | undefined
  if (extras.dialect === 'openai-responses' && text?.verbosity !== undefined && text.verbosity !== 'medium')
    tell('text.verbosity')
  if (user !== undefined && !OPENAI.has(dialect) && dialect !== 'anthropic') tell('user')
  // Of Anthropic's metadata the user was read; chat and completions share theirs.
  const others = Object.keys(metadata ?? {}).filter((key) => extras.dialect !== 'anthropic' || key !== 'user_id')
  const shares = /^openai-(chat|completions)$/
  if (others.length > 0 && !(shares.test(dialect) && shares.test(extras.dialect))) tell('metadata')
  return known
}
