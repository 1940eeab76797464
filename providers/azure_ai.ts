import { z } from 'zod'
import { defineProvider, type Path } from '../src/upstream/provider.ts'
import { azureHeaders, azureIdentity, azureIdentityEnv, entraToken } from './azure.ts'

const settings = z.object({
  ...azureIdentity,
  azure_scope: z.string().default('https://ai.azure.com/.default'),
  api_base: z.string({
    error: 'is missing: it is the address of your endpoint, such as https://my-resource.services.ai.azure.com',
  }),
  /** None, `v1` or `preview`: the v1 API. A date: the model inference API of that version. */
  api_version: z.string().optional(),
})
type Settings = z.infer<typeof settings>

const isClaude = (model: string): boolean => model.startsWith('claude')
/** A model that has an endpoint for itself speaks OpenAI's dialect at its root. */
const isServerless = (s: Settings): boolean => /\.models\.ai\.azure\.com/.test(s.api_base)

const at =
  (what: string): Path<Settings> =>
  (model, _stream, s) => {
    if (isClaude(model)) return undefined
    if (isServerless(s)) return `/v1${what}`
    const version = s.api_version
    if (version === undefined || ['v1', 'latest', 'preview'].includes(version)) return `/openai/v1${what}`
    return `/models${what}?api-version=${encodeURIComponent(version)}`
  }

/** Models of other makers in Azure's Foundry; Claude by its own dialect (platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry). */
export default defineProvider<Settings>({
  id: 'azure_ai',
  settings,
  env: {
    api_key: ['AZURE_AI_API_KEY'],
    api_base: ['AZURE_AI_API_BASE'],
    api_version: ['AZURE_AI_API_VERSION'],
    ...azureIdentityEnv,
  },
  insteadOfKey: ['azure_ad_token', 'client_secret'],
  speaks: {
    'openai-chat': at('/chat/completions'),
    anthropic: (model) => (isClaude(model) ? '/anthropic/v1/messages' : undefined),
    'openai-embeddings': at('/embeddings'),
    'cohere-rerank': (model, _stream, s) =>
      isClaude(model) ? undefined : isServerless(s) ? '/v2/rerank' : '/providers/cohere/v2/rerank',
  },
  counts: { anthropic: '/anthropic/v1/messages/count_tokens' },
  origin: (s) =>
    s.api_base
      .replace(/\/(openai|anthropic|models|providers|v[12]|chat\/completions)(\/.*)?(\?.*)?$/, '')
      .replace(/\/+$/, ''),
  headers: (s): Record<string, string> => {
    const version = { 'anthropic-version': '2023-06-01' }
    // An endpoint for one model takes its key as a bearer.
    if (s.api_key && isServerless(s)) return { ...version, authorization: `Bearer ${s.api_key.reveal()}` }
    return { ...version, ...azureHeaders(s) }
  },
  authorize: entraToken,
  prices: 'azure',
  abilities: { tools: true, images: true, schema: true, thinking: true },
})
