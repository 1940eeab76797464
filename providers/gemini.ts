import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

/** Google AI Studio by its OpenAI-compatible endpoint (ai.google.dev/gemini-api/docs/openai). */
export default defineProvider({
  id: 'gemini',
  settings: z.object({
    api_key: secret().optional(),
    api_base: z.string().default('https://generativelanguage.googleapis.com/v1beta/openai'),
  }),
  env: { api_key: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'] },
  speaks: { 'openai-chat': '/chat/completions', 'openai-embeddings': '/embeddings' },
  origin: (s) => s.api_base.replace(/\/+$/, ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  abilities: { tools: true, images: true, audio: true, schema: true, thinking: true },
  prices: 'google',
  list: {
    path: '/models',
    read: (body) => ((body as { data?: { id: string }[] }).data ?? []).map((m) => m.id.replace(/^models\//, '')),
  },
})
