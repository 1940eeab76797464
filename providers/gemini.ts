import { z } from 'zod'
import type { Json } from '../src/dialects/canonical.ts'
import { chatAction, embedAction, writePath } from '../src/dialects/gemini/path.ts'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

const BATCH = ':batchEmbedContents'

/** Google AI Studio (ai.google.dev/api). */
export default defineProvider({
  id: 'gemini',
  settings: z.object({
    api_key: secret().optional(),
    api_base: z.string().default('https://generativelanguage.googleapis.com'),
  }),
  env: { api_key: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'], api_base: ['GEMINI_API_BASE'] },
  speaks: {
    gemini: (model, stream) => `/v1beta/${writePath(model, chatAction(stream))}`,
    'gemini-embed': (model) => `/v1beta/${writePath(model, BATCH.slice(1))}`,
  },
  counts: { gemini: (model) => `/v1beta/${writePath(model, 'countTokens')}` },
  // One text and many have each their own.
  route: {
    'gemini-embed': (url, body) => url.replace(BATCH, `:${embedAction(JSON.parse(body) as Json)}`),
  },
  // The version, and the address of the OpenAI-compatible endpoint, are written by some.
  origin: (s) => s.api_base.replace(/\/+$/, '').replace(/\/v1(beta)?(\/openai)?$/, ''),
  headers: (s): Record<string, string> => (s.api_key ? { 'x-goog-api-key': s.api_key.reveal() } : {}),
  abilities: { tools: true, images: true, audio: true, files: true, schema: true, thinking: true },
  prices: 'google',
  list: {
    path: '/v1beta/models?pageSize=1000',
    read: (body) =>
      ((body as { models?: { name: string }[] }).models ?? []).map((m) => m.name.replace(/^models\//, '')),
  },
})
