import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

/** Cohere's second API (docs.cohere.com/reference). */
export default defineProvider({
  id: 'cohere',
  prefixes: ['cohere_chat'],
  settings: z.object({ api_key: secret().optional(), api_base: z.string().default('https://api.cohere.com') }),
  env: { api_key: ['COHERE_API_KEY', 'CO_API_KEY'], api_base: ['COHERE_API_BASE', 'CO_API_URL'] },
  speaks: { 'cohere-chat': '/v2/chat', 'cohere-embed': '/v2/embed', 'cohere-rerank': '/v2/rerank' },
  origin: (s) => s.api_base.replace(/\/+$/, '').replace(/\/v[12](\/(chat|embed|rerank))?$/, ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  abilities: { tools: true, images: true, schema: true, thinking: true },
  list: {
    path: '/v1/models?page_size=1000',
    read: (body) => ((body as { models?: { name: string }[] }).models ?? []).map((model) => model.name),
  },
})
