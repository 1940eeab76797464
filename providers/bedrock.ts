import { AwsV4Signer } from 'aws4fetch'
import { z } from 'zod'
import { secret } from '../src/secrets/secret.ts'
import { defineProvider, type Outgoing } from '../src/upstream/provider.ts'

const settings = z
  .object({
    /** An API key of Bedrock's: a bearer, and nothing is signed. */
    api_key: secret().optional(),
    api_base: z.string().optional(),
    aws_bedrock_runtime_endpoint: z.string().optional(),
    aws_region_name: z.string().optional(),
    aws_access_key_id: z.string().optional(),
    aws_secret_access_key: secret().optional(),
    aws_session_token: secret().optional(),
  })
  .superRefine((s, context) => {
    const fail = (at: string, message: string) => context.addIssue({ code: 'custom', path: [at], message })
    if (!regionOf(s)) fail('aws_region_name', 'is missing: write it, or set AWS_REGION')
    if (!s.api_key && !(s.aws_access_key_id && s.aws_secret_access_key))
      fail(
        'aws_access_key_id',
        'is missing: write it and aws_secret_access_key, or an API key of Bedrock as api_key (AWS_BEARER_TOKEN_BEDROCK)',
      )
  })
type Settings = z.infer<typeof settings>

const endpointOf = (s: Pick<Settings, 'api_base' | 'aws_bedrock_runtime_endpoint'>): string | undefined =>
  (s.aws_bedrock_runtime_endpoint ?? s.api_base)?.replace(/\/+$/, '')

/** `https://bedrock-runtime.eu-west-1.amazonaws.com` → `eu-west-1` */
const regionIn = (url: string): string | undefined =>
  /\bbedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws|api\.aws)/.exec(url)?.[1]

function regionOf(s: Pick<Settings, 'aws_region_name' | 'api_base' | 'aws_bedrock_runtime_endpoint'>) {
  return s.aws_region_name ?? regionIn(endpointOf(s) ?? '')
}

const runtime = (region: string): string =>
  `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`

/** LiteLLM's words for how a model is asked: all are asked by Converse here. */
const WAY = /^(?:converse|converse_like|invoke|llama|deepseek_r1|openai|moonshot|qwen3|nova|nova-2)\/(?=.*[.:])/
/** Not models, but agents with dialects of their own. */
const NO_MODEL = /^(?:agent|agentcore|async_invoke|mantle)\//
const REGION = /^([a-z]{2}(?:-[a-z]+)+-\d)\//

/** `us-east-1/anthropic.claude-…` and `converse/anthropic.claude-…` name what follows them. */
function named(model: string): { region: string | undefined; id: string } {
  const plain = model.replace(WAY, '')
  const region = REGION.exec(plain)?.[1]
  return { region, id: plain.replace(REGION, '') }
}

/** Keys made of a secret, a day and a region: the same for a day. */
const signingKeys = new Map<string, ArrayBuffer>()

/** AWS's signature, version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
async function sign(s: Settings, { method, url, body }: Outgoing): Promise<Record<string, string>> {
  if (s.api_key || !s.aws_access_key_id || !s.aws_secret_access_key) return {}
  if (signingKeys.size > 100) signingKeys.clear()
  const signer = new AwsV4Signer({
    method,
    url,
    headers: {},
    body: method === 'GET' ? null : (body as string),
    accessKeyId: s.aws_access_key_id,
    secretAccessKey: s.aws_secret_access_key.reveal(),
    ...(s.aws_session_token ? { sessionToken: s.aws_session_token.reveal() } : {}),
    service: 'bedrock',
    region: regionIn(url) ?? regionOf(s) ?? '',
    cache: signingKeys,
  })
  const { headers } = await signer.sign()
  return Object.fromEntries([...headers].filter(([name]) => name !== 'host'))
}

/** Amazon Bedrock by Converse, which asks every model alike (docs.aws.amazon.com/bedrock/latest/APIReference). */
export default defineProvider<Settings>({
  id: 'bedrock',
  prefixes: ['bedrock_converse'],
  settings: settings as unknown as z.ZodType<Settings>,
  env: {
    api_key: ['AWS_BEARER_TOKEN_BEDROCK'],
    aws_bedrock_runtime_endpoint: ['AWS_BEDROCK_RUNTIME_ENDPOINT'],
    aws_region_name: ['AWS_REGION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION'],
    aws_access_key_id: ['AWS_ACCESS_KEY_ID'],
    aws_secret_access_key: ['AWS_SECRET_ACCESS_KEY'],
    aws_session_token: ['AWS_SESSION_TOKEN'],
  },
  insteadOfKey: ['aws_access_key_id'],
  speaks: {
    'bedrock-converse': (model, stream, s) => {
      if (NO_MODEL.test(model)) return undefined
      const { region, id } = named(model)
      const path = `/model/${encodeURIComponent(id)}/${stream ? 'converse-stream' : 'converse'}`
      return region && !endpointOf(s) ? runtime(region) + path : path
    },
  },
  origin: (s) => endpointOf(s) ?? runtime(regionOf(s) ?? ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  authorize: sign,
  prices: 'aws',
  priced: (model) => named(model).id,
  // Only the latest models take a schema natively: `supports_response_schema: true` says that one does.
  abilities: { tools: true, images: true, files: true, schema: false, thinking: true },
})
