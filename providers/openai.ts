import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { ALL_OFFERS, offered } from '../src/upstream/compatible.ts'
import { defineProvider } from '../src/upstream/provider.ts'

/** Reranking is not OpenAI's, but of servers that are compatible (vLLM, Together, LiteLLM). */
const { speaks, places } = offered(ALL_OFFERS)

/** OpenAI itself, and with `api_base` any server that speaks its dialect (LiteLLM's `openai/<m>` + api_base). */
export default defineProvider({
  id: 'openai',
  prefixes: ['custom_openai', 'openai_like', 'aiohttp_openai', 'text-completion-openai'],
  settings: z.object({
    api_key: secret().optional(),
    api_base: z.string().default('https://api.openai.com/v1'),
    organization: z.string().optional(),
  }),
  env: { api_key: ['OPENAI_API_KEY'], api_base: ['OPENAI_BASE_URL', 'OPENAI_API_BASE'] },
  speaks: {
    'openai-chat': '/chat/completions',
    'openai-completions': '/completions',
    'openai-embeddings': '/embeddings',
    // Servers that are only compatible seldom have it: there it is translated.
    'openai-responses': (_model, _stream, s) => (s.api_base.includes('api.openai.com') ? '/responses' : undefined),
    ...speaks,
  },
  places,
  origin: (s) => s.api_base.replace(/\/+$/, ''),
  headers: (s) => ({
    ...(s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
    ...(s.organization ? { 'openai-organization': s.organization } : {}),
  }),
  abilities: { tools: true, images: true, audio: true, files: true, schema: true, thinking: true },
  list: { path: '/models', read: (body) => ((body as { data?: { id: string }[] }).data ?? []).map((m) => m.id) },
})
