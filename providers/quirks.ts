/** What some rows of compatible.ts do otherwise than OpenAI: addresses made of settings, other keys, other words. */
import type { Json, WireId } from '../src/dialects/canonical.ts'
import type { Warn } from '../src/dialects/dialect.ts'
import type { Amend, RowSettings } from '../src/upstream/compatible.ts'
import type { Path } from '../src/upstream/provider.ts'
import { clientCredentials } from '../src/upstream/token.ts'

/** What a quirk may do besides: say what it changed. */
type Telling = { warn: Warn }

// Addresses that are made of settings.

export function mantle({ api_base, aws_region_name: region }: RowSettings): string | undefined {
  return api_base ?? (region ? `https://bedrock-mantle.${region}.api.aws/v1` : undefined)
}

export function workersAi({ api_base, account_id: account }: RowSettings): string | undefined {
  return api_base ?? (account ? `https://api.cloudflare.com/client/v4/accounts/${account}/ai/v1` : undefined)
}

/** A workspace is given with and without the path of its endpoints, and as a bare host. */
export function serving({ api_base }: RowSettings): string | undefined {
  if (!api_base) return undefined
  const url = /^https?:/.test(api_base) ? api_base : `https://${api_base}`
  return /^https?:\/\/[^/]+\/?$/.test(url) ? `${url.replace(/\/$/, '')}/serving-endpoints` : url
}

export function datarobot({ api_base = 'https://app.datarobot.com' }: RowSettings): string {
  if (api_base.includes('/genai')) return api_base.replace(/\/chat\/completions\/?$/, '')
  return `${api_base.replace(/\/+$/, '').replace(/\/api\/v2$/, '')}/api/v2/genai/llmgw`
}

/** DigitalOcean's models, or one agent at an address of its own. */
export function gradient({ api_base }: RowSettings): string {
  if (!api_base) return 'https://inference.do-ai.run/v1'
  return /\/v1\/?$/.test(api_base) ? api_base : `${api_base.replace(/\/+$/, '')}/api/v1`
}

export function versioned({ api_base }: RowSettings): string | undefined {
  return api_base && !/\/v1\/?$/.test(api_base) ? `${api_base.replace(/\/+$/, '')}/v1` : api_base
}

/** LiteLLM's address has no version. */
export function dockerRunner({
  api_base = 'http://localhost:22088/engines/llama.cpp',
}: RowSettings): string | undefined {
  return versioned({ api_base })
}

export function cortex({ api_base, account_id: account }: RowSettings): string | undefined {
  return api_base ?? (account ? `https://${account}.snowflakecomputing.com/api/v2` : undefined)
}

/** `chat/<id>/<model>` or `agent/<id>/<model>` (ragflow.io/docs/http_api_reference). */
export function ragflowPath(model: string): string {
  const [kind, id = ''] = model.split('/')
  return `/api/v1/${kind === 'agent' ? 'agents' : 'chats'}_openai/${encodeURIComponent(id)}/chat/completions`
}

/** Text Embeddings Inference ranks beside its /v1, not below it. */
export function teiRerankPath(_model: string, _stream: boolean, { api_base = '' }: RowSettings): string {
  return `${api_base.replace(/\/+$/, '').replace(/\/v1$/, '')}/rerank`
}

/**
 * NVIDIA's cloud ranks at another host, with the model in the path and its dots as underscores; a NIM of one's own at
 * /v1/ranking (docs.api.nvidia.com/nim/reference, docs.nvidia.com/nim/nemo-retriever/text-reranking).
 */
export function nimRanking(model: string, _stream: boolean, { api_base }: RowSettings): string {
  if (api_base && !/\.nvidia\.com/.test(api_base)) return '/ranking'
  return `https://ai.api.nvidia.com/v1/retrieval/${model.replaceAll('.', '_')}/reranking`
}

/** Speech is heard at hosts of its own, each with one model (docs.fireworks.ai/api-reference/audio-transcriptions). */
const heard =
  (what: string): Path<RowSettings> =>
  (model, _stream, { api_base }) =>
    api_base ? what : `https://${model.endsWith('turbo') ? 'audio-turbo' : 'audio-prod'}.api.fireworks.ai/v1${what}`

export const fireworksAudio = {
  'openai-transcriptions': heard('/audio/transcriptions'),
  'openai-translations': heard('/audio/translations'),
} as const

// Keys that are not sent as a bearer.

/** Sarvam looks for it in a header of its own (docs.sarvam.ai). */
export function sarvam({ api_key }: RowSettings): Record<string, string> {
  return api_key ? { authorization: `Bearer ${api_key.reveal()}`, 'api-subscription-key': api_key.reveal() } : {}
}

/** Snowflake wants to be told what kind of token it is; `pat/` before it says so, as does its look. */
export function snowflake({ api_key }: RowSettings): Record<string, string> {
  if (!api_key) return {}
  const said = api_key.reveal()
  const token = said.replace(/^pat\//, '')
  const isJwt = token === said && /^ey[\w-]+\.[\w-]+\./.test(token)
  const type = isJwt ? 'KEYPAIR_JWT' : 'PROGRAMMATIC_ACCESS_TOKEN'
  return { authorization: `Bearer ${token}`, 'x-snowflake-authorization-token-type': type }
}

/** A service principal instead of a personal token (docs.databricks.com/dev-tools/auth/oauth-m2m). */
export async function databricksToken(s: RowSettings): Promise<Record<string, string>> {
  const { api_key, client_id: id, client_secret: secret } = s
  if (api_key || typeof id !== 'string' || !secret) return {}
  const { origin } = new URL(serving(s) as string)
  const basic = Buffer.from(`${id}:${(secret as { reveal(): string }).reveal()}`).toString('base64')
  const headers = { authorization: `Basic ${basic}` }
  return {
    authorization: `Bearer ${await clientCredentials('databricks', `${origin}/oidc/v1/token`, { scope: 'all-apis' }, headers)}`,
  }
}

// Quirks.

export function everywhere(amend: Amend): Partial<Record<WireId, Amend>> {
  const dialects = ['openai-chat', 'openai-completions', 'openai-embeddings', 'openai-responses'] as const
  return Object.fromEntries(dialects.map((id) => [id, amend]))
}

/** Where both limits are given, both hold. */
function lesser(one: unknown, other: unknown): unknown {
  if (one === undefined || one === null) return other
  return typeof one === 'number' && typeof other === 'number' ? Math.min(one, other) : one
}

/** The older word for the limit, where only that is known. */
export function maxTokens({ max_completion_tokens: newer, ...wire }: Json): Json {
  return newer === undefined ? wire : { ...wire, max_tokens: lesser(wire.max_tokens, newer) }
}

/** And the newer one. */
export function maxCompletionTokens({ max_tokens: older, ...wire }: Json): Json {
  return older === undefined ? wire : { ...wire, max_completion_tokens: lesser(wire.max_completion_tokens, older) }
}

const messagesOf = (wire: Json): Json[] => (Array.isArray(wire.messages) ? (wire.messages as Json[]) : [])

/** Lists of nothing but texts as one text, for servers that read only strings. */
export function plainContent(wire: Json): Json {
  const messages = messagesOf(wire).map((message) => {
    const parts = message.content as { type?: string; text?: string }[]
    const isText = Array.isArray(parts) && parts.every((part) => part.type === 'text')
    return isText ? { ...message, content: parts.map((part) => part.text ?? '').join('\n') } : message
  })
  return { ...wire, messages }
}

/** Effort as the switch that some have instead: on, or off. */
export function thinkingSwitch({ reasoning_effort: effort, ...wire }: Json, { warn }: Telling): Json {
  if (effort === undefined || effort === null) return wire
  if (wire.thinking !== undefined) {
    warn.adapted?.('reasoning_effort', "'thinking' is the provider's own word for it, and holds")
    return wire
  }
  if (effort !== 'none') warn.adapted?.('reasoning_effort', 'the model thinks or does not: there are no steps between')
  return { ...wire, thinking: { type: effort === 'none' ? 'disabled' : 'enabled' } }
}

/** api-docs.deepseek.com: strings only, and thinking is on or off. */
export function deepseek(wire: Json, telling: Telling): Json {
  return thinkingSwitch(plainContent(maxTokens(wire)), telling)
}

/** Nine letters or digits are all that Mistral takes as the id of a call; the same id always becomes the same. */
function mistralId(id: unknown): string {
  if (typeof id === 'string' && /^[a-zA-Z0-9]{9}$/.test(id)) return id
  return Bun.hash(String(id)).toString(36).padStart(9, '0').slice(-9)
}

const MISTRAL_FIELDS = ['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'prefix']

/** What an answer's message has that says nothing to a model that reads it again. */
const HINTS = new Set(['cache_control', 'prompt_cache_breakpoint', 'annotations', 'audio'])
const EARLIER_THINKING = new Set(['reasoning_content', 'reasoning', 'thinking_blocks'])
const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || (Array.isArray(value) && value.length === 0)

/** Names the fields of a message that Mistral does not know: earlier thinking and hints, or what would be missed. */
function tellUnknown(message: Json, { warn }: Telling): void {
  for (const [key, value] of Object.entries(message)) {
    if (MISTRAL_FIELDS.includes(key) || isNothing(value)) continue
    const reason = 'Mistral has no such field in a message'
    if (EARLIER_THINKING.has(key)) warn.adapted?.('messages.thinking', 'Mistral takes no earlier thinking')
    else if (HINTS.has(key)) warn.adapted?.(`messages.${key}`, reason)
    else warn(`messages.${key}`, reason)
  }
}

/** What Mistral names otherwise, and what it refuses with 422 (docs.mistral.ai/api). It always tells its usage. */
export function mistral(said: Json, telling: Telling): Json {
  const { seed, stream_options: _usage, user, ...wire } = maxTokens(said)
  if (!isNothing(user)) telling.warn.adapted?.('user', 'Mistral has no such parameter')
  const messages = messagesOf(wire).map((message) => {
    tellUnknown(message, telling)
    const kept = Object.fromEntries(
      MISTRAL_FIELDS.flatMap((key) => (message[key] == null ? [] : [[key, message[key]]])),
    )
    if (kept.tool_call_id !== undefined) kept.tool_call_id = mistralId(kept.tool_call_id)
    if (Array.isArray(kept.tool_calls))
      kept.tool_calls = (kept.tool_calls as Json[]).map((call) => ({ ...call, id: mistralId(call.id) }))
    return kept
  })
  return {
    ...wire,
    messages,
    ...(seed === undefined ? {} : { random_seed: seed }),
    ...(wire.tool_choice === 'required' ? { tool_choice: 'any' } : {}),
  }
}

/** Groq calls earlier thinking `reasoning` and refuses the usual name (console.groq.com/docs/reasoning). */
export function groq(wire: Json): Json {
  const messages = messagesOf(wire).map(({ reasoning_content: thought, ...message }) =>
    thought === undefined ? message : { ...message, reasoning: message.reasoning ?? thought },
  )
  return { ...wire, messages }
}

/** Moonshot's scale ends at 1, and it does not know `required`: its guide has the model asked in words. */
export function moonshot(said: Json, { warn }: Telling): Json {
  const { tool_choice: choice, ...wire } = maxTokens(said)
  const { temperature, n } = wire
  if (typeof temperature === 'number') {
    const least = typeof n === 'number' && n > 1 ? 0.3 : 0
    wire.temperature = Math.min(1, Math.max(least, temperature))
    if (wire.temperature !== temperature) warn.adapted?.('temperature', `Moonshot takes ${least} to 1 here`)
  }
  if (choice === undefined) return wire
  if (choice !== 'required') return { ...wire, tool_choice: choice }
  warn('tool_choice', "Moonshot does not know 'required': it can only be asked in words")
  const asked = { role: 'user', content: 'Please select a tool to handle the current issue.' }
  return { ...wire, messages: [...messagesOf(wire), asked] }
}

/** Short names are those of Fireworks' own models (docs.fireworks.ai). */
export function fireworksPath(model: string): string {
  return model.includes('/') || model.includes('#') ? model : `accounts/fireworks/models/${model}`
}

export function fireworks(wire: Json): Json {
  return { ...wire, model: fireworksPath(String(wire.model)) }
}

/** Its rerankers have another long name. */
export function fireworksReranker(wire: Json): Json {
  const model = String(wire.model)
  return { ...wire, model: model.includes('/') ? model : `fireworks/${model}` }
}

/** Only the path writes dots as underscores. */
export function nimReranker(wire: Json): Json {
  return { ...wire, model: String(wire.model).replaceAll('_', '.') }
}

/** LiteLLM writes the provider first (`together/org/model`), the router last (`org/model:together`). */
export function huggingface(wire: Json): Json {
  const [provider, org, model, more] = String(wire.model).split('/')
  return model === undefined || more !== undefined ? wire : { ...wire, model: `${org}/${model}:${provider}` }
}

export function ragflow(wire: Json): Json {
  return { ...wire, model: String(wire.model).split('/').slice(2).join('/') || 'model' }
}
