/** What each provider needs to be reached, beside a key: for the tests that hold all of them to the contract. */
import type { Link } from '../../src/upstream/link.ts'
import type { Provider } from '../../src/upstream/provider.ts'
import { linkOf, type Params } from './house.ts'
import { SERVICE_ACCOUNT } from './service-account.ts'

export const KEY = 'sk-very-secret-0123456789'

/** What a provider needs besides its key. */
export const MORE: Readonly<Record<string, Params>> = {
  azure: { api_base: 'https://my.openai.azure.com' },
  azure_ai: { api_base: 'https://my.services.ai.azure.com' },
  bedrock: { aws_region_name: 'us-east-1' },
  sagemaker_chat: { aws_region_name: 'us-east-1', aws_access_key_id: 'AKIDEXAMPLE', aws_secret_access_key: KEY },
  bedrock_mantle: { aws_region_name: 'us-east-1' },
  vertex_ai: { vertex_credentials: SERVICE_ACCOUNT },
  cloudflare: { account_id: 'acc' },
  snowflake: { account_id: 'acc' },
  databricks: { api_base: 'https://my.cloud.databricks.com' },
  heroku: { api_base: 'https://us.inference.heroku.com' },
  hosted_vllm: { api_base: 'http://gpu:8000/v1' },
  'text-generation-inference': { api_base: 'http://gpu:8080/v1' },
  'text-embeddings-inference': { api_base: 'http://gpu:8081' },
  infinity: { api_base: 'http://gpu:7997' },
  ragflow: { api_base: 'http://rag' },
  litellm_proxy: { api_base: 'http://proxy:4000' },
  'openai-compatible': { api_base: 'http://gpu:9000/v1' },
}
/** A model that the provider would know; most would take any. */
export const MODEL: Readonly<Record<string, string>> = {
  bedrock: 'amazon.nova-lite-v1:0',
  vertex_ai: 'gemini-2.5-flash',
  ragflow: 'chat/0123/model',
}
/** Nothing goes over a network, or by other means than a key. */
export const KEYLESS = ['demo', 'vertex_ai', 'sagemaker_chat']

export const linkTo = (provider: Provider, model = MODEL[provider.id] ?? 'some-model'): Link =>
  linkOf(`${provider.id}/${model}`, {
    ...(KEYLESS.includes(provider.id) ? {} : { api_key: KEY }),
    ...MORE[provider.id],
  })

/** Where the name decides what a model is: one of each kind. */
export const KINDS: Readonly<Record<string, readonly string[]>> = {
  bedrock: ['amazon.nova-lite-v1:0', 'amazon.titan-embed-text-v2:0', 'cohere.embed-v4:0', 'cohere.rerank-v3-5:0'],
  vertex_ai: [
    'gemini-2.5-flash',
    'claude-sonnet-4-5@20250929',
    'mistral-small-2503',
    'meta/llama',
    'text-embedding-005',
  ],
  azure_ai: ['some-model', 'claude-sonnet-4-5'],
}
