import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

/** Embeddings and reranking of Jina AI; the first are OpenAI's but for a few words (api.jina.ai/redoc). */
export default defineProvider({
  id: 'jina_ai',
  prefixes: ['jina'],
  settings: z.object({ api_key: secret().optional(), api_base: z.string().default('https://api.jina.ai/v1') }),
  env: { api_key: ['JINA_AI_API_KEY', 'JINA_API_KEY'], api_base: ['JINA_AI_API_BASE'] },
  speaks: { 'openai-embeddings': '/embeddings', 'jina-rerank': '/rerank' },
  origin: (s) => s.api_base.replace(/\/+$/, ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  amend: {
    'openai-embeddings': ({ encoding_format: encoding, user, ...wire }, { warn }) => {
      if (user !== undefined) warn.adapted?.('user', 'Jina has no such parameter')
      return { ...wire, ...(encoding === undefined ? {} : { embedding_type: encoding }) }
    },
  },
  prices: 'unlisted',
})
