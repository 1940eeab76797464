import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

export default defineProvider({
  id: 'openrouter',
  settings: z.object({ api_key: secret().optional(), api_base: z.string().default('https://openrouter.ai/api/v1') }),
  env: { api_key: ['OPENROUTER_API_KEY', 'OR_API_KEY'], api_base: ['OPENROUTER_API_BASE'] },
  speaks: {
    'openai-chat': '/chat/completions',
    'openai-completions': '/completions',
    'openai-embeddings': '/embeddings',
  },
  origin: (s) => s.api_base.replace(/\/+$/, ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  abilities: { tools: true, images: true, schema: true, thinking: true },
  list: { path: '/models', read: (body) => ((body as { data?: { id: string }[] }).data ?? []).map((m) => m.id) },
})
