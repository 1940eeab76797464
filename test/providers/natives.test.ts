/** Each native provider asks as its documentation shows: where, by whom, in which words. */
import { describe, expect, test } from 'bun:test'
import { createHash, createHmac, verify } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import type { Chat } from '../../src/dialects/canonical.ts'
import { chatOf, embedOf, linkOf, type Params, type Sent, sent, sentAs, written } from './house.ts'
import { PUBLIC_KEY, SERVICE_ACCOUNT } from './service-account.ts'

const stream = chatOf({ stream: true })
const API_KEY = { api_key: 'k-0123456789' }

/** Address, credentials and the body's outer words. */
const cases: [
  what: string,
  model: string,
  params: Params,
  asked: Chat | ReturnType<typeof embedOf>,
  url: string,
  headers: Record<string, string>,
  body?: Record<string, unknown>,
][] = [
  [
    'OpenAI',
    'openai/gpt-4o',
    API_KEY,
    chatOf(),
    'https://api.openai.com/v1/chat/completions',
    { authorization: 'Bearer k-0123456789' },
    { model: 'gpt-4o' },
  ],
  [
    'OpenAI, an organisation',
    'openai/gpt-4o',
    { ...API_KEY, organization: 'org-1' },
    chatOf(),
    'https://api.openai.com/v1/chat/completions',
    { 'openai-organization': 'org-1' },
  ],
  [
    'a server that speaks like OpenAI',
    'openai/m',
    { ...API_KEY, api_base: 'http://gpu:8000/v1/' },
    chatOf(),
    'http://gpu:8000/v1/chat/completions',
    {},
  ],
  [
    'Anthropic',
    'anthropic/claude-sonnet-4-5',
    API_KEY,
    stream,
    'https://api.anthropic.com/v1/messages',
    { 'x-api-key': 'k-0123456789', 'anthropic-version': '2023-06-01' },
    { stream: true },
  ],
  [
    'Ollama',
    'ollama_chat/qwen3',
    { api_base: 'http://gpu:11434' },
    chatOf(),
    'http://gpu:11434/api/chat',
    {},
    { truncate: false },
  ],
  [
    'Gemini, whole',
    'gemini/gemini-2.5-flash',
    API_KEY,
    chatOf(),
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
    { 'x-goog-api-key': 'k-0123456789' },
    { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  ],
  [
    'Gemini, a stream',
    'gemini/gemini-2.5-flash',
    API_KEY,
    stream,
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    {},
  ],
  [
    'Gemini with the older base',
    'gemini/m',
    { ...API_KEY, api_base: 'https://generativelanguage.googleapis.com/v1beta/openai' },
    chatOf(),
    'https://generativelanguage.googleapis.com/v1beta/models/m:generateContent',
    {},
  ],
  [
    'Gemini, one text',
    'gemini/gemini-embedding-001',
    API_KEY,
    embedOf(),
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:embedContent',
    {},
  ],
  [
    'Gemini, many texts',
    'gemini/gemini-embedding-001',
    API_KEY,
    embedOf({ input: ['a', 'b'], single: false }),
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents',
    {},
  ],
  [
    'Azure, v1',
    'azure/my gpt',
    { ...API_KEY, api_base: 'https://r.openai.azure.com/' },
    chatOf(),
    'https://r.openai.azure.com/openai/v1/chat/completions',
    { 'api-key': 'k-0123456789' },
    { model: 'my gpt' },
  ],
  [
    'Azure, v1 in preview',
    'azure/gpt',
    { ...API_KEY, api_base: 'https://r.openai.azure.com/openai/v1/', api_version: 'preview' },
    chatOf(),
    'https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview',
    {},
  ],
  [
    'Azure, a date',
    'azure/my gpt',
    { ...API_KEY, api_base: 'https://r.openai.azure.com', api_version: '2024-10-21' },
    chatOf(),
    'https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21',
    {},
  ],
  [
    'Azure, embeddings',
    'azure/ada',
    { ...API_KEY, api_base: 'https://r.openai.azure.com', api_version: '2024-10-21' },
    embedOf(),
    'https://r.openai.azure.com/openai/deployments/ada/embeddings?api-version=2024-10-21',
    {},
  ],
  [
    'Azure with a token',
    'azure/gpt',
    { azure_ad_token: 'ey.token.1', api_base: 'https://r.openai.azure.com' },
    chatOf(),
    'https://r.openai.azure.com/openai/v1/chat/completions',
    { authorization: 'Bearer ey.token.1' },
  ],
  [
    'Foundry',
    'azure_ai/deepseek-r1',
    { ...API_KEY, api_base: 'https://r.services.ai.azure.com' },
    chatOf(),
    'https://r.services.ai.azure.com/openai/v1/chat/completions',
    { 'api-key': 'k-0123456789' },
  ],
  [
    'Foundry, a date',
    'azure_ai/phi-4',
    { ...API_KEY, api_base: 'https://r.services.ai.azure.com/models', api_version: '2024-05-01-preview' },
    chatOf(),
    'https://r.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview',
    {},
  ],
  [
    'Foundry, Claude',
    'azure_ai/claude-sonnet-4-5',
    { ...API_KEY, api_base: 'https://r.services.ai.azure.com' },
    chatOf(),
    'https://r.services.ai.azure.com/anthropic/v1/messages',
    { 'anthropic-version': '2023-06-01' },
    { model: 'claude-sonnet-4-5' },
  ],
  [
    'Foundry, one model',
    'azure_ai/mistral',
    { ...API_KEY, api_base: 'https://m.eastus2.models.ai.azure.com' },
    chatOf(),
    'https://m.eastus2.models.ai.azure.com/v1/chat/completions',
    { authorization: 'Bearer k-0123456789' },
  ],
  [
    'Cohere',
    'cohere_chat/command-a-03-2025',
    API_KEY,
    stream,
    'https://api.cohere.com/v2/chat',
    { authorization: 'Bearer k-0123456789' },
    { model: 'command-a-03-2025', stream: true, messages: [{ role: 'user', content: 'Hello' }] },
  ],
  [
    'Cohere with the older base',
    'cohere/command-r',
    { ...API_KEY, api_base: 'https://api.cohere.ai/v1' },
    chatOf(),
    'https://api.cohere.ai/v2/chat',
    {},
  ],
  [
    'Cohere, embeddings',
    'cohere/embed-v4.0',
    API_KEY,
    embedOf({ dimensions: 256 }),
    'https://api.cohere.com/v2/embed',
    {},
    {
      model: 'embed-v4.0',
      texts: ['Hello'],
      input_type: 'search_document',
      embedding_types: ['float'],
      output_dimension: 256,
    },
  ],
  [
    'Voyage',
    'voyage/voyage-3.5',
    API_KEY,
    embedOf({ dimensions: 256, encoding: 'float', user: 'u' }),
    'https://api.voyageai.com/v1/embeddings',
    {},
    { model: 'voyage-3.5', input: 'Hello', output_dimension: 256 },
  ],
  [
    'Jina',
    'jina_ai/jina-embeddings-v4',
    API_KEY,
    embedOf({ dimensions: 256, encoding: 'base64' }),
    'https://api.jina.ai/v1/embeddings',
    {},
    { model: 'jina-embeddings-v4', input: 'Hello', dimensions: 256, embedding_type: 'base64' },
  ],
  [
    'Bedrock with an API key',
    'bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0',
    { ...API_KEY, aws_region_name: 'eu-west-1' },
    chatOf(),
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/converse',
    { authorization: 'Bearer k-0123456789' },
    { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] },
  ],
  [
    'Bedrock, a stream',
    'bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    { ...API_KEY, aws_region_name: 'us-east-1' },
    stream,
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream',
    {},
  ],
  [
    'Bedrock, a region in the name',
    'bedrock/ap-northeast-1/anthropic.claude-v2:1',
    { ...API_KEY, aws_region_name: 'us-east-1' },
    chatOf(),
    'https://bedrock-runtime.ap-northeast-1.amazonaws.com/model/anthropic.claude-v2%3A1/converse',
    {},
  ],
  [
    'Bedrock, a profile',
    'bedrock/arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0',
    { ...API_KEY, aws_region_name: 'us-east-1' },
    chatOf(),
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-pro-v1%3A0/converse',
    {},
  ],
  [
    'Bedrock, embeddings of Titan',
    'bedrock/amazon.titan-embed-text-v2:0',
    { ...API_KEY, aws_region_name: 'us-east-1' },
    embedOf({ dimensions: 256, encoding: 'base64', user: 'u' }),
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke',
    {},
    { inputText: 'Hello', dimensions: 256 },
  ],
  [
    'Bedrock, embeddings of the first Titan',
    'bedrock/us-west-2/amazon.titan-embed-g1-text-02',
    { ...API_KEY, aws_region_name: 'us-east-1' },
    embedOf(),
    'https://bedrock-runtime.us-west-2.amazonaws.com/model/amazon.titan-embed-g1-text-02/invoke',
    {},
    { inputText: 'Hello' },
  ],
  [
    'Bedrock, embeddings of Cohere',
    'bedrock/us.cohere.embed-v4:0',
    { ...API_KEY, aws_region_name: 'us-east-1' },
    embedOf({ dimensions: 256 }),
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.cohere.embed-v4%3A0/invoke',
    {},
    { texts: ['Hello'], input_type: 'search_document', embedding_types: ['float'], output_dimension: 256 },
  ],
  [
    'SageMaker, a stream',
    'sagemaker_chat/my-llama',
    { aws_region_name: 'eu-west-1', aws_access_key_id: 'AKIDEXAMPLE', aws_secret_access_key: 'secret-of-the-key' },
    stream,
    'https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/my-llama/invocations-response-stream',
    {},
  ],
  [
    'Bedrock in a VPC',
    'bedrock/amazon.nova-lite-v1:0',
    {
      ...API_KEY,
      aws_region_name: 'us-east-1',
      aws_bedrock_runtime_endpoint: 'https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com',
    },
    chatOf(),
    'https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse',
    {},
  ],
]

const tokens = (request: Request): Response =>
  new URL(request.url).hostname === 'oauth2.googleapis.com'
    ? Response.json({ access_token: 'ya29.google', expires_in: 3600, token_type: 'Bearer' })
    : new Response('{}')

describe('address, credentials and outer words', () => {
  test.each(cases)('%s', async (_, model, params, asked, url, headers, body = {}) => {
    const request = await sent(linkOf(model, params), asked)
    expect(request.url).toBe(url)
    expect(request.headers).toMatchObject(headers)
    expect(request.body).toMatchObject(body)
  })
})

describe('Vertex AI', () => {
  // Tokens are kept for the whole process: an account of this file's own, whatever file runs first.
  const account = JSON.stringify({ ...SERVICE_ACCOUNT, client_email: 'natives@my-project.iam.example' })
  const on = (model: string, asked: Chat | ReturnType<typeof embedOf>, more: Params = {}): Promise<Sent> =>
    sent(linkOf(model, { vertex_credentials: account, ...more }), asked, tokens)
  const place = (location: string) => `/v1/projects/my-project/locations/${location}`

  test('Gemini, whole and as a stream, where the location says', async () => {
    const { url, headers } = await on('vertex_ai/gemini-2.5-pro', chatOf())
    expect(url).toBe(
      `https://us-central1-aiplatform.googleapis.com${place('us-central1')}/publishers/google/models/gemini-2.5-pro:generateContent`,
    )
    expect(headers.authorization).toBe('Bearer ya29.google')
    const far = await on('vertex_ai_beta/gemini-2.5-pro', stream, {
      vertex_location: 'global',
      vertex_project: 'other',
    })
    expect(far.url).toBe(
      'https://aiplatform.googleapis.com/v1/projects/other/locations/global/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
    )
    const europe = await on('vertex_ai/gemini-2.5-pro', chatOf(), { vertex_location: 'eu' })
    expect(europe.url).toStartWith(`https://aiplatform.eu.rep.googleapis.com${place('eu')}/`)
    const tuned = await on('vertex_ai/gemini/1234567890', chatOf())
    expect(tuned.url).toEndWith('/endpoints/1234567890:generateContent')
  })

  test('Claude, with the version in the body and the model out of it', async () => {
    const whole = await on('vertex_ai/claude-sonnet-4-5@20250929', chatOf(), { vertex_location: 'europe-west1' })
    expect(whole.url).toBe(
      `https://europe-west1-aiplatform.googleapis.com${place('europe-west1')}/publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict`,
    )
    expect(whole.body.anthropic_version).toBe('vertex-2023-10-16')
    expect(whole.body).not.toHaveProperty('model')
    const flowing = await on('vertex_ai/claude-sonnet-4-5@20250929', stream)
    expect(flowing.url).toEndWith(':streamRawPredict')
    expect(flowing.body.stream).toBe(true)
  })

  test("the open models by OpenAI's dialect, Mistral at a place of its own, embeddings by predictions", async () => {
    const open = await on('vertex_ai/meta/llama-4-maverick-17b-128e-instruct-maas', chatOf())
    expect(open.url).toEndWith(`${place('us-central1')}/endpoints/openapi/chat/completions`)
    expect(open.body.model).toBe('meta/llama-4-maverick-17b-128e-instruct-maas')
    const mistral = await on('vertex_ai/mistral-medium-3', stream)
    expect(mistral.url).toEndWith('/publishers/mistralai/models/mistral-medium-3:streamRawPredict')
    const vectors = await on(
      'vertex_ai/text-embedding-005',
      embedOf({ input: ['a', 'b'], single: false, dimensions: 256 }),
    )
    expect(vectors.url).toEndWith('/publishers/google/models/text-embedding-005:predict')
    expect(vectors.body).toEqual({
      instances: [{ content: 'a' }, { content: 'b' }],
      parameters: { outputDimensionality: 256 },
    })
  })

  test('a service account signs for its token, which is fetched once', async () => {
    const assertions: string[] = []
    const link = linkOf('vertex_ai/gemini-2.5-pro', {
      vertex_credentials: JSON.stringify({
        ...SERVICE_ACCOUNT,
        client_email: 'once@my-project.iam.gserviceaccount.com',
      }),
    })
    const answer = async (request: Request) => {
      if (!request.url.includes('oauth2.googleapis.com')) return new Response('{}')
      assertions.push(String(new URLSearchParams(await request.text()).get('assertion')))
      return Response.json({ access_token: 'ya29.once', expires_in: 3600 })
    }
    for (const _ of [1, 2, 3])
      expect((await sent(link, chatOf(), answer)).headers.authorization).toBe('Bearer ya29.once')
    expect(assertions).toHaveLength(1)
    const [header = '', claims = '', signature = ''] = (assertions[0] ?? '').split('.')
    expect(
      verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), PUBLIC_KEY, Buffer.from(signature, 'base64url')),
    ).toBe(true)
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'once@my-project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    })
    expect(link.scrub('bad token ya29.once here')).toBe('bad token [redacted] here')
  })

  test('a refused token is an alarm about our credentials, and tells none of them', async () => {
    const link = linkOf('vertex_ai/gemini-2.5-pro', {
      vertex_credentials: { ...SERVICE_ACCOUNT, client_email: 'refused@x.y' },
    })
    const answer = () =>
      Response.json({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }, { status: 400 })
    const cause = await sent(link, chatOf(), answer).catch((thrown: unknown) => thrown)
    expect(cause).toMatchObject({ failure: { kind: 'auth' } })
    expect(Bun.inspect(cause, { depth: 9 })).not.toContain('PRIVATE KEY')
  })
})

describe("Entra's tokens", () => {
  const params = {
    api_base: 'https://r.openai.azure.com',
    tenant_id: 'my-tenant',
    client_id: 'app',
    client_secret: 'hush-hush-hush',
  }
  const entra = (asked: URLSearchParams[], answer: () => Response) => async (request: Request) => {
    if (!request.url.startsWith('https://login.microsoftonline.com/')) return new Response('{}')
    expect(request.url).toBe(
      `https://login.microsoftonline.com/${asked.length < 0 ? '' : 'my-tenant'}/oauth2/v2.0/token`,
    )
    asked.push(new URLSearchParams(await request.text()))
    return answer()
  }

  test('are asked for by client credentials, once for many requests, and again when they end', async () => {
    const asked: URLSearchParams[] = []
    const link = linkOf('azure/gpt', params)
    const long = entra(asked, () => Response.json({ access_token: 'ey.long', expires_in: 3599, token_type: 'Bearer' }))
    for (const _ of [1, 2, 3]) expect((await sent(link, chatOf(), long)).headers.authorization).toBe('Bearer ey.long')
    expect(asked.map((form) => Object.fromEntries(form))).toEqual([
      {
        grant_type: 'client_credentials',
        client_id: 'app',
        client_secret: 'hush-hush-hush',
        scope: 'https://cognitiveservices.azure.com/.default',
      },
    ])
    const short = linkOf('azure/gpt', { ...params, client_id: 'short' })
    const ended = entra(asked, () => Response.json({ access_token: `ey.${asked.length}`, expires_in: 0.02 }))
    expect((await sent(short, chatOf(), ended)).headers.authorization).toBe('Bearer ey.2')
    await Bun.sleep(30)
    expect((await sent(short, chatOf(), ended)).headers.authorization).toBe('Bearer ey.3')
  })

  test('that are refused are an alarm, and are asked for again next time; the secret is not told', async () => {
    const asked: URLSearchParams[] = []
    const link = linkOf('azure/gpt', { ...params, client_id: 'wrong' })
    const refused = entra(asked, () =>
      Response.json(
        { error: 'invalid_client', error_description: 'AADSTS7000215: hush-hush-hush is wrong' },
        { status: 401 },
      ),
    )
    for (const times of [1, 2]) {
      const cause = (await sent(link, chatOf(), refused).catch((thrown: unknown) => thrown)) as Error
      expect(cause).toMatchObject({
        failure: { kind: 'auth', message: 'No token from entra: it answers 401 (invalid_client).' },
      })
      expect(Bun.inspect(cause, { depth: 9 })).not.toContain('hush')
      expect(asked).toHaveLength(times)
    }
    expect(Bun.inspect(link, { depth: 9 })).not.toContain('hush')
  })
})

describe("AWS's signature", () => {
  // docs.aws.amazon.com/IAM/latest/UserGuide: the keys of all its examples.
  const keys = { aws_access_key_id: 'AKIDEXAMPLE', aws_secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

  test('get-vanilla, of its published test suite', async () => {
    const signer = new AwsV4Signer({
      method: 'GET',
      url: 'https://example.amazonaws.com/',
      accessKeyId: keys.aws_access_key_id,
      secretAccessKey: keys.aws_secret_access_key,
      service: 'service',
      region: 'us-east-1',
      datetime: '20150830T123600Z',
    })
    expect((await signer.sign()).headers.get('authorization')).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    )
  })

  const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
  const mac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

  /** By the documentation's four steps, without the library. */
  function signatureOf(request: Sent, region: string): string {
    const { host, pathname } = new URL(request.url)
    const date = request.headers['x-amz-date'] ?? ''
    const security = request.headers['x-amz-security-token']
    const signed = security ? 'host;x-amz-date;x-amz-security-token' : 'host;x-amz-date'
    const canonical = [
      'POST',
      // Every part of the path is encoded once more, but for Amazon S3.
      pathname.split('/').map(encodeURIComponent).join('/'),
      '',
      `host:${host}`,
      `x-amz-date:${date}`,
      ...(security ? [`x-amz-security-token:${security}`] : []),
      '',
      signed,
      sha(request.text),
    ].join('\n')
    const scope = `${date.slice(0, 8)}/${region}/bedrock/aws4_request`
    const toSign = ['AWS4-HMAC-SHA256', date, scope, sha(canonical)].join('\n')
    const key = [date.slice(0, 8), region, 'bedrock', 'aws4_request'].reduce<string | Buffer>(
      mac,
      `AWS4${keys.aws_secret_access_key}`,
    )
    return `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${signed}, Signature=${mac(key, toSign).toString('hex')}`
  }

  test.each([
    ['a model with a colon', 'bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0', 'eu-central-1'],
    [
      'a profile with slashes',
      'bedrock/arn:aws:bedrock:eu-central-1:1234:inference-profile/eu.amazon.nova-pro-v1:0',
      'eu-central-1',
    ],
    ['the region of the name', 'bedrock/us-west-2/amazon.nova-lite-v1:0', 'us-west-2'],
  ])('is over host, date and body: %s', async (_, model, region) => {
    const link = linkOf(model, { ...keys, aws_region_name: 'eu-central-1' })
    const request = await sent(
      link,
      chatOf({ messages: [{ role: 'user', parts: [{ type: 'text', text: 'Grüße 👋' }] }] }),
    )
    expect(request.headers.authorization).toBe(signatureOf(request, region))
    expect(request.headers['x-amz-date']).toMatch(/^\d{8}T\d{6}Z$/)
    expect(request.text).toContain('Grüße 👋')
  })

  test('holds the token of temporary credentials, which is not told', async () => {
    const link = linkOf('bedrock/amazon.nova-lite-v1:0', {
      ...keys,
      aws_session_token: 'session-token-secret',
      aws_region_name: 'us-east-1',
    })
    const request = await sent(link, chatOf())
    expect(request.headers['x-amz-security-token']).toBe('session-token-secret')
    expect(request.headers.authorization).toBe(signatureOf(request, 'us-east-1'))
    const shown =
      Bun.inspect(link, { depth: 12 }) + link.scrub(`session-token-secret and ${keys.aws_secret_access_key}`)
    expect(shown).not.toContain('session-token-secret')
    expect(shown).not.toContain(keys.aws_secret_access_key)
  })

  test('is found in the environment', async () => {
    const env = {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: keys.aws_secret_access_key,
      AWS_REGION: 'sa-east-1',
    }
    const request = await sent(linkOf('bedrock/amazon.nova-lite-v1:0', {}, env), chatOf())
    expect(request.url).toStartWith('https://bedrock-runtime.sa-east-1.amazonaws.com/')
    expect(request.headers.authorization).toBe(signatureOf(request, 'sa-east-1'))
  })

  test('Titan embeds one text a request, which is said before anything is sent', () => {
    const two = embedOf({ input: ['a', 'b'], single: false })
    expect(() => written('titan-embed', two)).toThrow("'input' must be one text: Titan embeds one a request")
    const extras = { dialect: 'openai-embeddings' as const, fields: { normalize: false, odd: 1 } }
    expect(written('titan-embed', embedOf({ extras }))).toMatchObject({
      body: { inputText: 'Hello', normalize: false },
      lost: ['odd'],
    })
  })

  test('agents are no models, and are refused by name', () => {
    const link = linkOf('bedrock/agent/ABC/DEF', { ...API_KEY, aws_region_name: 'us-east-1' })
    expect(link.speaks).toEqual([])
  })
})

test("Azure speaks OpenAI's Responses where its version has them", async () => {
  const at = (version?: string) =>
    linkOf('azure/gpt', {
      ...API_KEY,
      api_base: 'https://r.openai.azure.com',
      ...(version ? { api_version: version } : {}),
    })
  expect((await sentAs(at(), 'openai-responses', { model: 'gpt', input: 'Hi' })).url).toBe(
    'https://r.openai.azure.com/openai/v1/responses',
  )
  expect((await sentAs(at('2025-04-01-preview'), 'openai-responses', {})).url).toBe(
    'https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview',
  )
  expect(at('2024-10-21').speaksDialect('openai-responses')).toBe(false)
})
