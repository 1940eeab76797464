/** What some rows do otherwise than OpenAI, each as its documentation says. */
import { describe, expect, test } from 'bun:test'
import { rows } from '../../providers/compatible.ts'
import type { Json, WireId } from '../../src/dialects/canonical.ts'
import { warnings } from '../dialects/support.ts'
import { chatOf, linkOf, type Params, sent, sentAs } from './house.ts'

const KEY = { api_key: 'k-0123456789' }
const user = { role: 'user', content: 'Hi' }

/** What the last one said of what it left out, and of what it changed. */
let told: { lost: string[]; adapted: string[] } = { lost: [], adapted: [] }
const amended = (model: string, body: Json, more: Params = {}, id: WireId = 'openai-chat'): Json => {
  const { warn, ...said } = warnings()
  told = said
  const wire = { model: model.slice(model.indexOf('/') + 1), messages: [user], ...body }
  return linkOf(model, { ...KEY, ...more }).amend(id, wire, warn)
}

describe('Mistral', () => {
  test('has other words for the seed, the limit and the tool that must be called', () => {
    const said = {
      seed: 7,
      max_completion_tokens: 9,
      tool_choice: 'required',
      stream: true,
      stream_options: { include_usage: true },
      user: 'u',
    }
    for (const model of ['mistral/mistral-large-latest', 'codestral/codestral-latest'])
      expect(amended(model, said)).toEqual({
        model: model.split('/')[1],
        messages: [user],
        random_seed: 7,
        max_tokens: 9,
        tool_choice: 'any',
        stream: true,
      })
  })

  test('takes ids of nine letters: the same for a call and its result, and another for each', () => {
    const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
    const { messages } = amended('mistral/m', {
      messages: [
        user,
        {
          role: 'assistant',
          content: null,
          refusal: null,
          annotations: [],
          reasoning_content: 'hm',
          tool_calls: [call('call_abcdefghijklmnop'), call('toolu_2'), call('abcDEF123')],
        },
        { role: 'tool', tool_call_id: 'call_abcdefghijklmnop', content: 'x' },
        { role: 'tool', tool_call_id: 'toolu_2', content: 'y' },
        { role: 'tool', tool_call_id: 'abcDEF123', content: 'z' },
      ],
    }) as { messages: { tool_calls?: { id: string }[]; tool_call_id?: string }[] }
    const ids = messages[1]?.tool_calls?.map(({ id }) => id) ?? []
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9]{9}$/)
    expect(ids[2]).toBe('abcDEF123')
    expect(messages.slice(2).map((message) => message.tool_call_id)).toEqual(ids)
    expect(Object.keys(messages[1] ?? {}).sort()).toEqual(['role', 'tool_calls'])
  })
})

test('DeepSeek reads strings, and thinks or does not', () => {
  const parts = [
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ]
  expect(
    amended('deepseek/deepseek-chat', {
      messages: [{ role: 'user', content: parts }],
      reasoning_effort: 'high',
      max_completion_tokens: 5,
    }),
  ).toEqual({
    model: 'deepseek-chat',
    messages: [{ role: 'user', content: 'a\nb' }],
    thinking: { type: 'enabled' },
    max_tokens: 5,
  })
  expect(amended('deepseek/deepseek-chat', { reasoning_effort: 'none' }).thinking).toEqual({ type: 'disabled' })
  const own = { thinking: { type: 'disabled' }, reasoning_effort: 'high' }
  expect(amended('zai/glm-4.6', own).thinking).toEqual({ type: 'disabled' })
  expect(amended('volcengine/doubao', { reasoning_effort: 'low' })).toMatchObject({ thinking: { type: 'enabled' } })
})

test('an image is never flattened away', () => {
  const content = [
    { type: 'text', text: 'a' },
    { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
  ]
  expect(amended('publicai/m', { messages: [{ role: 'user', content }] }).messages).toEqual([{ role: 'user', content }])
})

test("Fireworks' short names are those of its own models, in every dialect", () => {
  expect(amended('fireworks_ai/llama-v3p3-70b-instruct', {}).model).toBe(
    'accounts/fireworks/models/llama-v3p3-70b-instruct',
  )
  expect(amended('fireworks_ai/accounts/me/models/mine', {}).model).toBe('accounts/me/models/mine')
  expect(amended('fireworks_ai/nomic', { input: 'x' }, {}, 'openai-embeddings').model).toBe(
    'accounts/fireworks/models/nomic',
  )
})

test('Moonshot: a scale to 1, and a tool asked for in words', () => {
  expect(amended('moonshot/kimi-k2', { temperature: 1.7 }).temperature).toBe(1)
  expect(amended('moonshot/kimi-k2', { temperature: 0, n: 2 }).temperature).toBe(0.3)
  expect(amended('moonshot/kimi-k2', { temperature: 0 }).temperature).toBe(0)
  const forced = amended('moonshot/kimi-k2', { tool_choice: 'required' })
  expect(forced).not.toHaveProperty('tool_choice')
  expect(forced.messages).toEqual([
    user,
    { role: 'user', content: 'Please select a tool to handle the current issue.' },
  ])
  expect(amended('moonshot/kimi-k2', { tool_choice: 'none' })).toMatchObject({ tool_choice: 'none', messages: [user] })
})

test("Groq's word for earlier thinking", () => {
  const messages = [user, { role: 'assistant', content: 'x', reasoning_content: 'hm' }, user]
  expect(amended('groq/openai/gpt-oss-120b', { messages }).messages).toEqual([
    user,
    { role: 'assistant', content: 'x', reasoning: 'hm' },
    user,
  ])
})

test("Hugging Face: LiteLLM's provider first becomes the router's provider last", () => {
  expect(amended('huggingface/together/deepseek-ai/DeepSeek-R1', {}).model).toBe('deepseek-ai/DeepSeek-R1:together')
  expect(amended('huggingface/deepseek-ai/DeepSeek-R1', {}).model).toBe('deepseek-ai/DeepSeek-R1')
})

describe('addresses made of settings', () => {
  const cases: [string, Params, string][] = [
    [
      'cloudflare/@cf/meta/llama-3-8b',
      { account_id: 'acc' },
      'https://api.cloudflare.com/client/v4/accounts/acc/ai/v1/chat/completions',
    ],
    [
      'bedrock_mantle/openai.gpt-oss-120b',
      { aws_region_name: 'us-west-2' },
      'https://bedrock-mantle.us-west-2.api.aws/v1/chat/completions',
    ],
    [
      'databricks/dbrx',
      { api_base: 'https://w.cloud.databricks.com' },
      'https://w.cloud.databricks.com/serving-endpoints/chat/completions',
    ],
    [
      'databricks/dbrx',
      { api_base: 'https://w.cloud.databricks.com/serving-endpoints/' },
      'https://w.cloud.databricks.com/serving-endpoints/chat/completions',
    ],
    [
      'snowflake/mistral-7b',
      { account_id: 'org-acc' },
      'https://org-acc.snowflakecomputing.com/api/v2/cortex/v1/chat/completions',
    ],
    [
      'heroku/claude',
      { api_base: 'https://us.inference.heroku.com' },
      'https://us.inference.heroku.com/v1/chat/completions',
    ],
    ['gradient_ai/llama3.3', {}, 'https://inference.do-ai.run/v1/chat/completions'],
    [
      'gradient_ai/agent',
      { api_base: 'https://abc.agents.do-ai.run' },
      'https://abc.agents.do-ai.run/api/v1/chat/completions',
    ],
    ['datarobot/azure/gpt', {}, 'https://app.datarobot.com/api/v2/genai/llmgw/chat/completions/'],
    [
      'datarobot/azure/gpt',
      { api_base: 'https://eu.datarobot.com/api/v2' },
      'https://eu.datarobot.com/api/v2/genai/llmgw/chat/completions/',
    ],
    [
      'ragflow/chat/0123/gpt',
      { api_base: 'http://rag:9380' },
      'http://rag:9380/api/v1/chats_openai/0123/chat/completions',
    ],
    [
      'ragflow/agent/0123/gpt',
      { api_base: 'http://rag:9380' },
      'http://rag:9380/api/v1/agents_openai/0123/chat/completions',
    ],
  ]
  test.each(cases)('%s', async (model, params, url) => {
    expect((await sent(linkOf(model, { ...KEY, ...params }), chatOf())).url).toBe(url)
  })

  test('RAGFlow is told the model alone', () => {
    expect(amended('ragflow/chat/0123/org/gpt', {}, { api_base: 'http://rag' }).model).toBe('org/gpt')
  })
})

describe('keys that are sent otherwise', () => {
  test('Sarvam has a header of its own', async () => {
    const { headers } = await sent(linkOf('sarvam/sarvam-m', KEY), chatOf())
    expect(headers['api-subscription-key']).toBe('k-0123456789')
  })

  test('Snowflake is told what kind of token it is', async () => {
    const type = async (api_key: string) => {
      const { headers } = await sent(linkOf('snowflake/m', { api_key, account_id: 'a' }), chatOf())
      return [headers.authorization, headers['x-snowflake-authorization-token-type']]
    }
    expect(await type('pat/token-of-mine')).toEqual(['Bearer token-of-mine', 'PROGRAMMATIC_ACCESS_TOKEN'])
    expect(await type('eyJhbGciOi.eyJpc3Mi.sig')).toEqual(['Bearer eyJhbGciOi.eyJpc3Mi.sig', 'KEYPAIR_JWT'])
  })

  test('a service principal of Databricks asks for its token', async () => {
    const link = linkOf('databricks/dbrx', {
      client_id: 'sp',
      client_secret: 'hush-hush',
      api_base: 'https://w.cloud.databricks.com',
    })
    const asked: string[] = []
    const { headers } = await sent(link, chatOf(), async (request) => {
      if (!request.url.endsWith('/oidc/v1/token')) return new Response('{}')
      asked.push(`${request.url} ${request.headers.get('authorization')} ${await request.text()}`)
      return Response.json({ access_token: 'dapi-token', expires_in: 3600 })
    })
    expect(headers.authorization).toBe('Bearer dapi-token')
    const basic = Buffer.from('sp:hush-hush').toString('base64')
    expect(asked).toEqual([
      `https://w.cloud.databricks.com/oidc/v1/token Basic ${basic} grant_type=client_credentials&scope=all-apis`,
    ])
  })
})

test('what a row does not change goes over the wire byte for byte', async () => {
  const link = linkOf('together_ai/m', KEY)
  expect(link.amends('openai-chat')).toBe(false)
  const { body } = await sentAs(link, 'openai-chat', { model: 'm', messages: [user], unknown: { field: 1 } })
  expect(body).toEqual({ model: 'm', messages: [user], unknown: { field: 1 } })
})

describe('what a quirk leaves out or changes is said', () => {
  const NONE = { lost: [], adapted: [] }
  const assistant = (more: Json) => ({ messages: [user, { role: 'assistant', content: 'x', ...more }, user] })
  const cases: [string, Json, { lost: string[]; adapted: string[] }, WireId?][] = [
    [
      'mistral/m',
      { user: 'u', seed: 7, max_completion_tokens: 9, tool_choice: 'required' },
      { lost: [], adapted: ['user'] },
    ],
    ['mistral/m', assistant({ reasoning_content: 'hm' }), { lost: [], adapted: ['messages.thinking'] }],
    ['mistral/m', assistant({ refusal: null, annotations: [], cache_control: null }), NONE],
    ['mistral/m', assistant({ audio: { id: 'a' } }), { lost: [], adapted: ['messages.audio'] }],
    ['mistral/m', assistant({ refusal: 'No.' }), { lost: ['messages.refusal'], adapted: [] }],
    ['vertex_ai/mistral-large@2411', { user: 'u' }, { lost: [], adapted: ['user'] }],
    ['moonshot/kimi-k2', { tool_choice: 'required' }, { lost: ['tool_choice'], adapted: [] }],
    ['moonshot/kimi-k2', { tool_choice: 'auto', temperature: 0.5 }, NONE],
    ['moonshot/kimi-k2', { temperature: 1.7 }, { lost: [], adapted: ['temperature'] }],
    ['deepseek/deepseek-chat', { reasoning_effort: 'high' }, { lost: [], adapted: ['reasoning_effort'] }],
    ['deepseek/deepseek-chat', { reasoning_effort: 'none' }, NONE],
    ['zai/glm-4.6', { reasoning_effort: 'low', thinking: {} }, { lost: [], adapted: ['reasoning_effort'] }],
    ['groq/m', assistant({ reasoning_content: 'hm' }), NONE],
    ['voyage/v', { input: 'x', user: 'u' }, { lost: [], adapted: ['user'] }, 'openai-embeddings'],
    ['voyage/v', { input: 'x', encoding_format: 'float', dimensions: 8 }, NONE, 'openai-embeddings'],
    ['jina_ai/j', { input: 'x', user: 'u' }, { lost: [], adapted: ['user'] }, 'openai-embeddings'],
    ['ollama/o', { options: { num_thread: 4 } }, { lost: [], adapted: ['options.num_thread'] }, 'ollama-chat'],
    ['ollama/o', { options: { num_ctx: 4096 } }, NONE, 'ollama-chat'],
  ]
  test.each(cases)('%s %j', (model, body, said, id = 'openai-chat') => {
    amended(model, body, model.startsWith('vertex') ? { vertex_project: 'p', vertex_location: 'us-central1' } : {}, id)
    expect({ lost: told.lost, adapted: told.adapted }).toEqual(said)
  })

  test('a pinned context, where another was asked for', () => {
    amended('ollama/o', { options: { num_ctx: 4096 } }, { num_ctx: 8192 }, 'ollama-chat')
    expect(told.adapted).toEqual(['options.num_ctx'])
    amended('ollama/o', { options: { num_ctx: 8192 } }, { num_ctx: 8192 }, 'ollama-chat')
    expect(told.adapted).toEqual([])
  })

  /** So that a new quirk that leaves something out is seen here: every row, with a little of everything. */
  test('no row takes out a field without a word', () => {
    const everything: Json = {
      messages: [{ role: 'user', content: 'Hi', name: 'n' }],
      user: 'u',
      seed: 1,
      temperature: 0.5,
      top_p: 0.5,
      stop: ['x'],
      n: 1,
      max_tokens: 5,
      logit_bias: { 1: 1 },
      presence_penalty: 0.1,
      frequency_penalty: 0.1,
      tool_choice: 'required',
      tools: [],
      parallel_tool_calls: false,
      reasoning_effort: 'high',
      response_format: { type: 'json_object' },
      logprobs: true,
      top_logprobs: 2,
      service_tier: 'flex',
      metadata: { a: 'b' },
      unknown_field: 1,
    }
    /** What the same thing is called elsewhere. */
    const renamed: Record<string, string> = { seed: 'random_seed', max_tokens: 'max_completion_tokens' }
    for (const row of rows) {
      if (!row.amend?.['openai-chat']) continue
      const { warn, lost, adapted } = warnings()
      const context = { settings: {}, model: 'm', warn }
      const wire = row.amend['openai-chat'](structuredClone({ model: 'm', ...everything }), context)
      const gone = Object.keys(everything).filter(
        (key) => wire[key] === undefined && wire[renamed[key] ?? ''] === undefined,
      )
      expect({ row: row.id, silent: gone.filter((key) => ![...lost, ...adapted].includes(key)) }).toEqual({
        row: row.id,
        silent: [],
      })
    }
  })
})
