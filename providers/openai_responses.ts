import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

/**
 * A model of OpenAI's, or with `api_base` of a server that has Responses (Ollama, vLLM, LM Studio), asked by Responses
 * whatever the caller speaks: LiteLLM's `openai/responses/<m>`. Some models answer by nothing else.
 */
export default defineProvider({
  id: 'openai_responses',
  prefixes: ['openai/responses'],
  settings: z.object({
    api_key: secret().optional(),
    api_base: z.string().default('https://api.openai.com/v1'),
    organization: z.string().optional(),
  }),
  env: { api_key: ['OPENAI_API_KEY'], api_base: ['OPENAI_BASE_URL', 'OPENAI_API_BASE'] },
  speaks: { 'openai-responses': '/responses' },
  origin: (s) => s.api_base.replace(/\/+$/, ''),
  headers: (s) => ({
    ...(s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
    ...(s.organization ? { 'openai-organization': s.organization } : {}),
  }),
  abilities: { tools: true, images: true, files: true, schema: true, thinking: true },
  prices: 'openai',
})
