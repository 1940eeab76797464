/** Without a configuration: a key in the environment opens its provider, where nothing else is missing. */
import { expect, test } from 'bun:test'
import { providers } from '../../providers/index.ts'
import { discovered } from '../../src/config/discover.ts'

const found = (env: Record<string, string>): string[] =>
  discovered(env, providers, 'http://127.0.0.1:11434', { ok: false, why: 'nothing listens there' }).config.models.map(
    (model) => model.alias,
  )

test('keys of clouds, natives before rows', () => {
  const env = {
    GROQ_API_KEY: 'k',
    OPENAI_API_KEY: 'k',
    GEMINI_API_KEY: 'k',
    COHERE_API_KEY: 'k',
    OPENROUTER_API_KEY: 'k',
  }
  expect(found(env)).toEqual(['openai/*', 'gemini/*', 'cohere/*', 'groq/*', 'openrouter/*'])
})

test('a cloud that needs more than a key is offered when all of it is there', () => {
  expect(found({ AZURE_API_KEY: 'k' })).toEqual(['demo'])
  expect(found({ AZURE_API_KEY: 'k', AZURE_API_BASE: 'https://r.openai.azure.com' })).toEqual(['azure/*'])
  expect(found({ CLOUDFLARE_API_KEY: 'k' })).toEqual(['demo'])
  expect(found({ CLOUDFLARE_API_KEY: 'k', CLOUDFLARE_ACCOUNT_ID: 'a' })).toEqual(['cloudflare/*'])
  expect(found({ AWS_BEARER_TOKEN_BEDROCK: 'k' })).toEqual(['demo'])
  expect(found({ AWS_BEARER_TOKEN_BEDROCK: 'k', AWS_REGION: 'eu-west-1' })).toEqual(['bedrock/*'])
})

test('one key opens one provider', () => {
  expect(found({ DASHSCOPE_API_KEY: 'k' })).toEqual(['dashscope/*'])
  expect(found({ INCEPTION_API_KEY: 'k' })).toEqual(['inception/*'])
})

test('servers of one’s own are not guessed at', () => {
  expect(found({ LM_STUDIO_API_KEY: 'k', HOSTED_VLLM_API_KEY: 'k' })).toEqual(['demo'])
})
