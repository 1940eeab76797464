/**
 * The contract of a provider, over every one in the list: it can be reached with nothing but its key (and what its
 * documentation demands besides), asks where its documentation says, reads what is answered, knows errors apart, finds
 * the usage, and never tells a credential.
 */
import { describe, expect, test } from 'bun:test'
import { rows } from '../../providers/compatible.ts'
import { providers } from '../../providers/index.ts'
import type { ChatTarget, EmbedTarget } from '../../src/dialects/dialect.ts'
import type { Link } from '../../src/upstream/link.ts'
import { CHATS, EMBEDDINGS } from './answers.ts'
import { chatOf, dialectOf, embedOf, eventsOf, failure, linkOf, type Params, sent, told } from './house.ts'
import { KEY, KEYLESS, linkTo, MODEL, MORE } from './reach.ts'

const asks = (link: Link, op: 'chat' | 'embed') =>
  link.speaks.find((id) => dialectOf(id).op === op && (op === 'chat' ? CHATS[id] : EMBEDDINGS[id]))

const networked = providers.filter((provider) => provider.id !== 'demo')

describe.each(networked.map((provider) => [provider.id, provider] as const))('%s', (id, provider) => {
  test('asks at one address of its own, with its key in a header and nowhere else', async () => {
    const link = linkTo(provider)
    const op = asks(link, 'chat') ? 'chat' : 'embed'
    if (!link.speaks.some((wire) => dialectOf(wire).op === op)) return
    const token = () => Response.json({ access_token: 'ya29.token', expires_in: 3600 })
    const request = await sent(link, op === 'chat' ? chatOf() : embedOf(), token)
    const url = new URL(request.url)
    expect(request.method).toBe('POST')
    expect(url.protocol).toBe(provider.local || MORE[id]?.api_base?.toString().startsWith('http:') ? 'http:' : 'https:')
    expect(request.url).not.toMatch(/undefined|null|NaN|\[object|([^:])\/\//)
    expect(request.url + request.text).not.toContain(KEY)
    expect(request.text).not.toMatch(/undefined|NaN|\[object/)
    expect(request.headers['content-type']).toBe('application/json')
    const holders = Object.values(request.headers).filter((value) => value.includes(KEY))
    expect(holders.length).toBeGreaterThanOrEqual(KEYLESS.includes(id) ? 0 : 1)
    if (op === 'chat') expect(request.text).toContain('Hello')
  })

  test('reads its documented answer and its stream in any pieces, and finds the usage', () => {
    const link = linkTo(provider)
    const wire = asks(link, 'chat')
    if (wire) {
      const { whole, stream, text, usage } = CHATS[wire] as NonNullable<(typeof CHATS)[typeof wire]>
      const dialect = dialectOf(wire) as ChatTarget
      const reply = dialect.readReply(whole)
      expect(reply.choices[0]?.parts).toEqual([{ type: 'text', text }])
      expect(reply.choices[0]?.finish?.unified).toBe('stop')
      expect(reply.usage).toMatchObject(usage)
      expect(dialect.glance(JSON.stringify(whole))).toMatchObject({ content: true, finished: true, usage })
      for (const cut of [stream.length, 7, 1]) {
        const said = told(eventsOf(wire, stream, cut))
        expect(said).toMatchObject({ text, finish: 'stop', usage, calls: [] })
      }
    }
    const embeds = asks(link, 'embed')
    if (embeds) {
      const { whole, input } = EMBEDDINGS[embeds] as NonNullable<(typeof EMBEDDINGS)[typeof embeds]>
      const reply = (dialectOf(embeds) as EmbedTarget).readReply(whole)
      expect(reply.vectors).toEqual([[0.5, -0.25]])
      expect(reply.usage?.input).toBe(input)
    }
    expect(link.speaks.length).toBeGreaterThan(0)
  })

  test('knows what its errors mean, and tells none with its key in it', () => {
    const link = linkTo(provider)
    const wire = asks(link, 'chat')
    const error = (wire && CHATS[wire]?.error) ?? ((message: string) => JSON.stringify({ error: { message } }))
    const kind = (status: number, message: string, code = '', headers = {}) =>
      failure(link, status, error(message, code), headers)
    expect(kind(401, 'Invalid credentials', 'UNAUTHENTICATED').kind).toBe('auth')
    expect(kind(403, 'Not allowed', 'PERMISSION_DENIED').kind).toBe('auth')
    expect(kind(404, 'The model does not exist', 'NOT_FOUND').kind).toBe('not_found')
    expect(kind(429, 'Slow down', 'RESOURCE_EXHAUSTED', { 'retry-after': '7' })).toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 7000,
    })
    expect(kind(500, 'Internal error', 'INTERNAL').kind).toBe('server')
    expect(kind(503, 'Overloaded', 'UNAVAILABLE').kind).toBe('overloaded')
    expect(kind(400, 'This exceeds the maximum context length of 8192 tokens', 'x').kind).toBe('context')
    expect(kind(400, "'temperature' must be a number", 'invalid_request_error').kind).toBe('caller')
    expect(failure(link, 502, '<html><body>Bad gateway</body></html>').message).not.toContain('<')
    if (KEYLESS.includes(id)) return
    const told = link.scrub(kind(401, `Incorrect API key provided: ${KEY}.`).message)
    expect(told).not.toContain(KEY)
    expect(told).toContain('[redacted]')
  })

  test('shows no credential, however it is printed', () => {
    const link = linkTo(provider)
    const shown = [Bun.inspect(link, { depth: 12 }), JSON.stringify(link), String(link), `${link.target}`].join('\n')
    expect(shown).not.toContain(KEY)
    expect(shown).not.toContain('PRIVATE KEY')
  })

  test('takes its key and its address from the variables that it names, the first one first', () => {
    const { api_key: keys = [], api_base: bases = [] } = provider.env ?? {}
    const { api_base: _, ...rest } = MORE[id] ?? {}
    const model = `${id}/${MODEL[id] ?? 'some-model'}`
    for (const [i, name] of keys.entries()) {
      const env = Object.fromEntries(keys.slice(i).map((other) => [other, other === name ? KEY : 'sk-another-key-01']))
      const link = linkOf(model, MORE[id], env)
      expect([name, Object.values(link.headers).some((value) => value.includes(KEY))]).toEqual([name, true])
    }
    for (const name of bases) {
      const link = linkOf(
        model,
        { ...rest, ...(KEYLESS.includes(id) ? {} : { api_key: KEY }) },
        { [name]: 'http://10.9.8.7:1234/v1' },
      )
      expect([name, link.origin.startsWith('http://10.9.8.7:1234')]).toEqual([name, true])
    }
  })

  test('answers to each of its prefixes, and with a star', () => {
    for (const prefix of [id, ...(provider.prefixes ?? [])]) {
      const params = { ...(KEYLESS.includes(id) ? {} : { api_key: KEY }), ...MORE[id] }
      expect(linkOf(`${prefix}/${MODEL[id] ?? 'a/b:c'}`, params).target.provider).toBe(id)
    }
  })
})

test('what is missing is named, with the variable that gives it', () => {
  const refused = (model: string, params: Params = {}): string => {
    try {
      linkOf(model, params, {}, true)
      return ''
    } catch (cause) {
      return (cause as Error).message
    }
  }
  expect(refused('azure/my-deployment')).toContain(
    'litellm_params.api_base: is missing: it is the address of your resource',
  )
  expect(refused('hosted_vllm/m')).toContain(
    'litellm_params.api_base: is missing: `hosted_vllm` has no address without it',
  )
  expect(refused('hosted_vllm/m')).toContain('HOSTED_VLLM_API_BASE')
  expect(refused('cloudflare/@cf/meta/llama')).toContain('account_id: is missing')
  expect(refused('cloudflare/@cf/meta/llama')).toContain('CLOUDFLARE_ACCOUNT_ID')
  expect(refused('bedrock/m')).toContain('aws_region_name: is missing')
  expect(refused('bedrock/m', { aws_region_name: 'eu-west-1', aws_access_key_id: 'AKID' })).toContain(
    'litellm_params.aws_secret_access_key: is missing: a key has both',
  )
  expect(refused('bedrock/m', { aws_region_name: 'eu-west-1', aws_web_identity_token: 'ey.J.x' })).toContain(
    'litellm_params.aws_role_name: is missing',
  )
  expect(refused('vertex_ai/gemini-2.5-pro')).toContain('vertex_project: is missing')
  expect(refused('vertex_ai/gemini-2.5-pro', { vertex_credentials: '/no/such/file.json' })).toContain(
    'is neither the JSON of a key',
  )
  for (const login of ['github_copilot/gpt-4o', 'chatgpt/gpt-5'])
    expect(refused(login)).toContain('signing in with a browser')
})

test('a price is only taken from a list of the provider itself', () => {
  const listed = rows.filter((row) => row.prices !== undefined).map((row) => row.id)
  for (const { id } of rows)
    if (!listed.includes(id) && !MODEL[id]) {
      const link = linkOf(`${id}/gpt-4o`, { api_key: KEY, ...MORE[id] })
      expect([id, link.target.price.kind]).toEqual([id, link.provider.local ? 'free' : 'unknown'])
    }
  const priced = {
    'groq/llama-3.3-70b-versatile': {},
    'mistral/mistral-large-latest': {},
    'deepseek/deepseek-chat': {},
    'fireworks_ai/llama-v3p1-8b-instruct': {},
    'together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo': {},
    'xai/grok-4': {},
    'moonshot/kimi-k2-0905-preview': {},
    'perplexity/sonar': {},
    'cerebras/llama3.1-8b': {},
    'openrouter/openai/gpt-4o': {},
    'azure/gpt-4o': MORE.azure,
    'gemini/gemini-2.5-flash': {},
    'vertex_ai/claude-sonnet-4-5@20250929': MORE.vertex_ai,
    'bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0': MORE.bedrock,
    'bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0': MORE.bedrock,
    'bedrock/us-west-2/amazon.nova-lite-v1:0': MORE.bedrock,
    'cohere/command-a-03-2025': {},
    'voyage/voyage-3.5': {},
  }
  for (const [model, more] of Object.entries(priced)) {
    const params = { ...(model.startsWith('vertex') ? {} : { api_key: KEY }), ...more }
    expect([model, linkOf(model, params).target.price.kind]).toEqual([model, 'priced'])
  }
})
