import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider, type Path } from '../src/upstream/provider.ts'
import { clientCredentials } from '../src/upstream/token.ts'

/** Who asks: a key, a token that somebody else renews, or an application of Entra's that fetches its own. */
export const azureIdentity = {
  api_key: secret().optional(),
  azure_ad_token: secret().optional(),
  tenant_id: z.string().optional(),
  client_id: z.string().optional(),
  client_secret: secret().optional(),
  azure_scope: z.string().default('https://cognitiveservices.azure.com/.default'),
  azure_authority_host: z.string().default('https://login.microsoftonline.com'),
}
type Identity = z.infer<z.ZodObject<typeof azureIdentity>>

/** The names that Azure's own SDKs read. */
export const azureIdentityEnv = {
  azure_ad_token: ['AZURE_AD_TOKEN'],
  tenant_id: ['AZURE_TENANT_ID'],
  client_id: ['AZURE_CLIENT_ID'],
  client_secret: ['AZURE_CLIENT_SECRET'],
  azure_scope: ['AZURE_SCOPE'],
  azure_authority_host: ['AZURE_AUTHORITY_HOST'],
} as const

/** A key goes in a header of Azure's own, a token as a bearer. The key wins where both are there. */
export function azureHeaders(s: Identity): Record<string, string> {
  if (s.api_key) return { 'api-key': s.api_key.reveal() }
  return s.azure_ad_token ? { authorization: `Bearer ${s.azure_ad_token.reveal()}` } : {}
}

/** Client credentials of Entra (learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow). */
export async function entraToken(s: Identity): Promise<Record<string, string>> {
  const { tenant_id: tenant, client_id: id, client_secret } = s
  if (s.api_key || s.azure_ad_token || !tenant || !id || !client_secret) return {}
  const url = `${s.azure_authority_host.replace(/\/+$/, '')}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`
  const form = { client_id: id, client_secret: client_secret.reveal(), scope: s.azure_scope }
  return { authorization: `Bearer ${await clientCredentials('entra', url, form)}` }
}

const settings = z.object({
  ...azureIdentity,
  api_base: z.string({
    error: 'is missing: it is the address of your resource, such as https://my-resource.openai.azure.com',
  }),
  /** None, `v1` or `preview`: the v1 API. A date: the older one, whose path names the deployment. */
  api_version: z.string().optional(),
})
type Settings = z.infer<typeof settings>

const isV1 = (version: string | undefined): boolean =>
  version === undefined || ['v1', 'latest', 'preview'].includes(version)

/** Of the v1 API. */
const path = (what: string, version: string | undefined): string =>
  `/openai/v1${what}${version === 'preview' ? '?api-version=preview' : ''}`

/** learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle, and /reference for dated versions */
const at =
  (what: string): Path<Settings> =>
  (deployment, _stream, { api_version: version }) =>
    isV1(version)
      ? path(what, version)
      : `/openai/deployments/${encodeURIComponent(deployment)}${what}?api-version=${encodeURIComponent(version ?? '')}`

/** Of the dated versions the later ones have it, beside the deployments. */
const responses: Path<Settings> = (deployment, stream, s) => {
  if (isV1(s.api_version))
    return (at('/responses') as (m: string, t: boolean, s: Settings) => string)(deployment, stream, s)
  const version = s.api_version ?? ''
  return version >= '2025-03-01' ? `/openai/responses?api-version=${encodeURIComponent(version)}` : undefined
}

/** What belongs to the resource and to no deployment. */
const beside =
  (what: string): Path<Settings> =>
  (_deployment, _stream, { api_version: version }) =>
    isV1(version) ? path(what, version) : `/openai${what}?api-version=${encodeURIComponent(version ?? '')}`

/** Of the dated versions a deployment is named in the query (learn.microsoft.com, realtime-audio-websockets). */
const realtime: Path<Settings> = (deployment, _stream, { api_version: version }) =>
  isV1(version)
    ? path('/realtime', version)
    : `/openai/realtime?api-version=${encodeURIComponent(version ?? '')}&deployment=${encodeURIComponent(deployment)}`

/** OpenAI's models in Azure: a model is the name of a deployment, so `model_info.base_model` says what it costs. */
export default defineProvider<Settings>({
  id: 'azure',
  prefixes: ['azure_text'],
  settings,
  env: {
    api_key: ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'],
    api_base: ['AZURE_API_BASE', 'AZURE_OPENAI_ENDPOINT'],
    api_version: ['AZURE_API_VERSION'],
    ...azureIdentityEnv,
  },
  insteadOfKey: ['azure_ad_token', 'client_secret'],
  speaks: {
    'openai-chat': at('/chat/completions'),
    'openai-completions': at('/completions'),
    'openai-embeddings': at('/embeddings'),
    'openai-responses': responses,
    'openai-images': at('/images/generations'),
    'openai-image-edits': at('/images/edits'),
    'openai-speech': at('/audio/speech'),
    'openai-transcriptions': at('/audio/transcriptions'),
    'openai-translations': at('/audio/translations'),
  },
  places: { files: beside('/files'), batches: beside('/batches'), realtime },
  // Some write down all that the portal shows.
  origin: (s) => s.api_base.replace(/\/openai(\/.*)?$/, '').replace(/\/+$/, ''),
  headers: azureHeaders,
  authorize: entraToken,
  abilities: { tools: true, images: true, audio: true, files: true, schema: true, thinking: true },
})
