import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

export default defineProvider({
  id: 'anthropic',
  settings: z.object({ api_key: secret().optional(), api_base: z.string().default('https://api.anthropic.com') }),
  env: {
    api_key: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'],
    api_base: ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_BASE'],
  },
  speaks: { anthropic: '/v1/messages' },
  counts: { anthropic: '/v1/messages/count_tokens' },
  // LiteLLM's users write the base with and without /v1.
  origin: (s) => s.api_base.replace(/\/+$/, '').replace(/\/v1$/, ''),
  headers: (s): Record<string, string> => ({
    'anthropic-version': '2023-06-01',
    ...(s.api_key ? { 'x-api-key': s.api_key.reveal() } : {}),
  }),
  abilities: { tools: true, images: true, files: true, schema: true, thinking: true },
  list: { path: '/v1/models', read: (body) => ((body as { data?: { id: string }[] }).data ?? []).map((m) => m.id) },
})
