import { AwsV4Signer } from 'aws4fetch'
import { z } from 'zod'
import type { Json } from '../src/dialects/canonical.ts'
import { secret } from '../src/secrets/secret.ts'
import { type AwsIdentity, awsCredentials } from '../src/upstream/aws-credentials.ts'
import { defineProvider, type Outgoing } from '../src/upstream/provider.ts'

/** Who asks AWS, in LiteLLM's words. */
export const awsIdentity = {
  aws_region_name: z.string().optional(),
  aws_access_key_id: z.string().optional(),
  aws_secret_access_key: secret().optional(),
  aws_session_token: secret().optional(),
  aws_profile_name: z.string().optional(),
  aws_role_name: z.string().optional(),
  aws_session_name: z.string().optional(),
  aws_external_id: secret().optional(),
  aws_web_identity_token: secret().optional(),
  aws_sts_endpoint: z.string().optional(),
}

/** The variables that LiteLLM reads; what AWS's own library reads stands elsewhere. */
export const awsIdentityEnv = {
  aws_region_name: ['AWS_REGION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION'],
  aws_access_key_id: ['AWS_ACCESS_KEY_ID'],
  aws_secret_access_key: ['AWS_SECRET_ACCESS_KEY'],
  aws_session_token: ['AWS_SESSION_TOKEN'],
  aws_profile_name: ['AWS_PROFILE_NAME'],
  aws_role_name: ['AWS_ROLE_NAME'],
  aws_session_name: ['AWS_SESSION_NAME'],
  aws_external_id: ['AWS_EXTERNAL_ID'],
  aws_web_identity_token: ['AWS_WEB_IDENTITY_TOKEN'],
  aws_sts_endpoint: ['AWS_STS_ENDPOINT'],
} as const

/** What is missing of an identity, told at the setting that is missing. */
export function checkIdentity(s: AwsIdentity, region: string | undefined, context: z.RefinementCtx): void {
  const fail = (at: string, message: string) => context.addIssue({ code: 'custom', path: [at], message })
  if (!region) fail('aws_region_name', 'is missing: write it, or set AWS_REGION')
  const half = !s.aws_access_key_id !== !s.aws_secret_access_key
  if (half) fail(`aws_${s.aws_access_key_id ? 'secret_access_key' : 'access_key_id'}`, 'is missing: a key has both')
  if (s.aws_web_identity_token && !s.aws_role_name)
    fail('aws_role_name', 'is missing: the token of `aws_web_identity_token` is exchanged for a role')
}

const settings = z
  .object({
    /** An API key of Bedrock's: a bearer, and nothing is signed. */
    api_key: secret().optional(),
    api_base: z.string().optional(),
    aws_bedrock_runtime_endpoint: z.string().optional(),
    ...awsIdentity,
  })
  .superRefine((s, context) => checkIdentity(s, regionOf(s), context))
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

type Kind = 'chat' | 'titan' | 'cohere' | 'rerank' | 'none'

/** By the name: all that chats is asked by Converse, all else by its maker's own words. */
function kindOf(model: string): Kind {
  if (NO_MODEL.test(model)) return 'none'
  if (/\btitan-embed-(?:text|g1)/.test(model)) return 'titan'
  if (/\bcohere\.embed-/.test(model)) return 'cohere'
  return /\b(?:cohere|amazon)\.rerank-/.test(model) ? 'rerank' : 'chat'
}

function at(model: string, action: string, s: Settings): string {
  const { region, id } = named(model)
  const path = `/model/${encodeURIComponent(id)}/${action}`
  return region && !endpointOf(s) ? runtime(region) + path : path
}

/** The model stands in the path, and Cohere's version of the API in the body. */
const invoked = ({ model: _, ...wire }: Json): Json => wire

/** Keys made of a secret, a day and a region: the same for a day. */
const signingKeys = new Map<string, ArrayBuffer>()

/** AWS's signature, version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
export async function sign(
  s: AwsIdentity,
  service: string,
  region: string,
  { method, url, body }: Outgoing,
): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = await awsCredentials({ ...s, aws_region_name: region })
  if (signingKeys.size > 100) signingKeys.clear()
  const signer = new AwsV4Signer({
    method,
    url,
    headers: {},
    body: method === 'GET' ? null : (body as string),
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    service,
    region,
    cache: signingKeys,
  })
  const { headers } = await signer.sign()
  return Object.fromEntries([...headers].filter(([name]) => name !== 'host'))
}

/**
 * Amazon Bedrock by Converse, which asks every model alike (docs.aws.amazon.com/bedrock/latest/APIReference); embeddings
 * and reranking by InvokeModel.
 */
export default defineProvider<Settings>({
  id: 'bedrock',
  prefixes: ['bedrock_converse'],
  settings: settings as unknown as z.ZodType<Settings>,
  env: {
    api_key: ['AWS_BEARER_TOKEN_BEDROCK'],
    aws_bedrock_runtime_endpoint: ['AWS_BEDROCK_RUNTIME_ENDPOINT'],
    ...awsIdentityEnv,
  },
  findsKeys: true,
  insteadOfKey: ['aws_access_key_id', 'aws_profile_name', 'aws_role_name'],
  speaks: {
    'bedrock-converse': (model, stream, s) =>
      kindOf(model) === 'chat' ? at(model, stream ? 'converse-stream' : 'converse', s) : undefined,
    'titan-embed': (model, _stream, s) => (kindOf(model) === 'titan' ? at(model, 'invoke', s) : undefined),
    'cohere-embed': (model, _stream, s) => (kindOf(model) === 'cohere' ? at(model, 'invoke', s) : undefined),
    'cohere-rerank': (model, _stream, s) => (kindOf(model) === 'rerank' ? at(model, 'invoke', s) : undefined),
  },
  origin: (s) => endpointOf(s) ?? runtime(regionOf(s) ?? ''),
  headers: (s): Record<string, string> => (s.api_key ? { authorization: `Bearer ${s.api_key.reveal()}` } : {}),
  authorize: async (s, request) =>
    s.api_key ? {} : await sign(s, 'bedrock', regionIn(request.url) ?? regionOf(s) ?? '', request),
  amend: {
    'cohere-embed': invoked,
    'cohere-rerank': (wire, { model }) =>
      model.includes('cohere.') ? { ...invoked(wire), api_version: 2 } : invoked(wire),
  },
  prices: 'aws',
  priced: (model) => named(model).id,
  // Only the latest models take a schema natively: `supports_response_schema: true` says that one does.
  abilities: { tools: true, images: true, files: true, schema: false, thinking: true },
})
