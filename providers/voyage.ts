import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'

/** Embeddings and reranking of Voyage AI; the first are OpenAI's but for a few words (docs.voyageai.com/reference). */
export default defineProvider({
  id: 'voyage',
  settings: z.object({ api_key: secret().optional(), api_base: z.string().default('https://api.voyageai.com/v1') }),
  env: { api_key: ['VOYAGE_API_KEY'], api_base: ['VOYAGE_API_BASE'] },
  speaks: { 'openai-embeddings': '/embeddings', 'voyage-rerank': '/rerank' },
  origin: (s) => s.api_base.replace(/\/+$/, ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  amend: {
    // Numbers are what comes where no encoding is named; `float` is refused, and so is `user`.
    'openai-embeddings': ({ dimensions, encoding_format: encoding, user, ...wire }, { warn }) => {
      if (user !== undefined) warn.adapted?.('user', 'Voyage has no such parameter')
      return {
        ...wire,
        ...(dimensions === undefined ? {} : { output_dimension: dimensions }),
        ...(encoding === undefined || encoding === 'float' ? {} : { encoding_format: encoding }),
      }
    },
  },
  prices: 'voyageai',
})
