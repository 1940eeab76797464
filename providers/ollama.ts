import { z } from 'zod'
import type { Json } from '../src/dialects/canonical.ts'
import { secret } from '../src/secrets/secret.ts'
import { type AmendContext, defineProvider } from '../src/upstream/provider.ts'
import * as watches from './watches.ts'

const settings = z.object({
  api_key: secret().optional(),
  api_base: z.string().default('http://127.0.0.1:11434'),
  /** Tokens of context, the same for every request: another value reloads the model (ollama#10948, #8029). */
  num_ctx: z.number().int().positive().optional(),
  keep_alive: z.union([z.string(), z.number()]).optional(),
})
type Settings = z.infer<typeof settings>

/**
 * Pins what would reload the model, and forbids the silent cut of a long prompt: a prompt that does not fit is then a
 * 400 that can be passed on or answered by a larger model.
 */
function pin(wire: Json, { settings: s, warn }: AmendContext<Settings>): Json {
  const { num_thread: threads, num_ctx: asked, ...options } = (wire.options as Json | undefined) ?? {}
  const numCtx = s.num_ctx ?? asked
  if (threads !== undefined) warn.adapted?.('options.num_thread', 'it would load the model again for everybody')
  if (asked !== undefined && asked !== numCtx) warn.adapted?.('options.num_ctx', `it is pinned to ${numCtx}`)
  const pinned = { ...wire, options: { ...options, ...(numCtx === undefined ? {} : { num_ctx: numCtx }) } } as Json
  if (Object.keys(pinned.options as Json).length === 0) delete pinned.options
  if (s.keep_alive !== undefined && wire.keep_alive === undefined) pinned.keep_alive = s.keep_alive
  return pinned
}

/** Ollama by its native API: its OpenAI endpoint has neither `num_ctx` nor a way to refuse a prompt that is too long. */
export default defineProvider<Settings>({
  id: 'ollama',
  prefixes: ['ollama_chat'],
  settings,
  env: { api_key: ['OLLAMA_API_KEY'], api_base: ['OLLAMA_API_BASE', 'OLLAMA_HOST'] },
  speaks: {
    'ollama-chat': '/api/chat',
    'ollama-generate': '/api/generate',
    'ollama-embed': '/api/embed',
    'ollama-embeddings': '/api/embeddings',
  },
  origin: (s) => s.api_base.replace(/\/+$/, '').replace(/\/v1$/, ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  amend: {
    'ollama-chat': (wire, context) => ({ truncate: false, shift: false, ...pin(wire, context) }),
    'ollama-generate': (wire, context) => ({ truncate: false, shift: false, ...pin(wire, context) }),
    'ollama-embed': (wire, context) => ({ truncate: false, ...pin(wire, context) }),
    'ollama-embeddings': pin,
  },
  abilities: { tools: true, images: true, schema: true, thinking: true },
  // It renders the prompt and makes nothing; versions that do not know the field make one token, and tell nothing.
  goesOn: {
    path: '/api/chat',
    dialect: 'ollama-chat',
    ask: (model, beginning) => ({
      model,
      stream: false,
      messages: [
        { role: 'user', content: 'Begin.' },
        { role: 'assistant', content: beginning },
      ],
      options: { num_predict: 1 },
      _debug_render_only: true,
    }),
    tells: (answer, beginning) =>
      (answer as { _debug_info?: { rendered_template?: string } })._debug_info?.rendered_template?.endsWith(
        beginning,
      ) === true,
  },
  local: true,
  // Its own default since it loads models side by side; what it really does is learned.
  slots: 1,
  slotsVariable: 'OLLAMA_NUM_PARALLEL',
  watch: watches.ollama,
  passThrough: false,
  list: {
    path: '/api/tags',
    read: (body) => ((body as { models?: { name: string }[] }).models ?? []).map((m) => m.name),
  },
})
