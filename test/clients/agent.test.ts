/** A coding agent's way of talking, by raw requests: against each kind of target nothing is lost that is not named. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import {
  ALL_MARKS,
  CHAT_HEADERS,
  CLAUDE_HEADERS,
  CODEX_HEADERS,
  chatAgent,
  claudeCode,
  codex,
  ENCRYPTED,
  mark,
  SIGNATURE,
  TOOLS,
  TURNS,
} from './agent-talk.ts'
import { ARGUMENTS, type House, QUESTION, startHouse, TARGETS, TEXT } from './house.ts'

type Json = Record<string, unknown>
let house: House
/** A server that speaks Responses itself, and one alias where nothing may be dropped. */
let native: Gateway
let seen: { body: string; headers: Headers }[] = []
const events = [
  { type: 'response.created', sequence_number: 0, response: { id: 'resp_up', object: 'response', output: [] } },
  {
    type: 'response.completed',
    sequence_number: 1,
    response: {
      id: 'resp_up',
      object: 'response',
      status: 'completed',
      output: [],
      usage: { input_tokens: 30_000, output_tokens: 2, total_tokens: 30_002 },
    },
  },
]
const answer = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
const upstream = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    seen.push({ body: await request.text(), headers: request.headers })
    return new Response(answer, { headers: { 'content-type': 'text/event-stream' } })
  },
})

beforeAll(async () => {
  house = await startHouse({ litellm_settings: { drop_params: true } })
  // By this address it is known as a server that has Responses.
  const base = `http://127.0.0.1:${upstream.port}/api.openai.com/v1`
  const openai = { model: 'openai/up', api_base: base, api_key: 'sk-up' }
  native = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'native', litellm_params: openai },
        { model_name: 'strict', litellm_params: { model: 'ollama/m', api_base: house.mock.url } },
      ],
    },
  })
}, 60_000)
afterAll(async () => {
  await house?.end()
  await native?.stop()
  await upstream.stop(true)
})

const post = (path: string, headers: Record<string, string>, body: unknown, gateway = house.gateway) =>
  fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.masterKey}`, ...headers },
    body: JSON.stringify(body),
  })
const claude = (body: unknown, path = '/v1/messages?beta=true') => post(path, CLAUDE_HEADERS, body)

interface Event extends Json {
  type: string
  index: number
  sequence_number: number
  content_block: Json
  delta: Json
  item: Json
}
/** The events of a stream, each with the name that stands on its `event:` line. */
const eventsOf = (text: string): Event[] =>
  [...text.matchAll(/^event: (\S+)\ndata: (.+)$/gm)].map(([, name, data]) => {
    const event = JSON.parse(data as string) as Event
    expect(event.type).toBe(name as string)
    return event
  })
const dropped = (response: Response): string[] => (response.headers.get('x-tollgate-dropped') ?? '').split(', ')

/** Everything that an agent said stands in what the target got, or its name among what was dropped. */
function nothingLost(response: Response, more: readonly string[]): void {
  const sent = JSON.stringify(house.last())
  const missing = [...ALL_MARKS.map(mark), 'mark-first-end', 'mark-second-end', ...more].filter(
    (one) => !sent.includes(one),
  )
  expect(missing).toEqual([])
  // In the order in which it was said.
  const places = ALL_MARKS.map((n) => sent.indexOf(mark(n)))
  expect(places).toEqual([...places].sort((a, b) => a - b))
  for (const name of TOOLS) expect(sent).toContain(`"${name}"`)
  expect(sent.split('"Bonn"').length + sent.split('\\"Bonn\\"').length - 2).toBe(TURNS)
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  // What the agent's SDK says to us of itself and of its tries is not said to the target.
  const headers = Object.keys((house.mock.requests.at(-1) as { headers: Record<string, string> }).headers)
  expect(headers.filter((name) => /^x-stainless|^http-referer|session|thread|turn/.test(name))).toEqual([])
}

describe('Claude Code', () => {
  for (const target of TARGETS) {
    test(`${target}: a long history, then an answer`, async () => {
      const body = claudeCode(target)
      expect(JSON.stringify(body).length).toBeGreaterThan(100_000)
      const response = await claude(body)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toContain('text/event-stream')
      const told = eventsOf(await response.text())
      const text = told.map(({ delta }) => (delta?.type === 'text_delta' ? delta.text : '')).join('')
      expect(text).toBe(TEXT.replace(/^\S+/, text.split(' ')[0] as string))
      expect(told[0]?.type).toBe('message_start')
      expect(told.at(-1)?.type).toBe('message_stop')
      nothingLost(response, ['mark-system-end'])
      if (target === 'anthropic') {
        expect(house.last()).toEqual({ ...body, model: 'm' })
        const { headers } = house.mock.requests.at(-1) as { headers: Record<string, string> }
        expect(headers['anthropic-beta']).toBe(CLAUDE_HEADERS['anthropic-beta'])
        expect(headers['anthropic-version']).toBe(CLAUDE_HEADERS['anthropic-version'])
      } else {
        // Another's signature is worth nothing to it, and never sent.
        expect(JSON.stringify(house.last())).not.toContain(SIGNATURE)
        if (!JSON.stringify(house.last()).includes('Hm 7')) expect(dropped(response).join()).toContain('thinking')
      }
    })

    test(`${target}: all tools called at once, each a block of its own`, async () => {
      const response = await claude(claudeCode(target, QUESTION))
      const told = eventsOf(await response.text())
      const calls = new Map<number, { name: unknown; id: unknown; json: string }>()
      let open: number | undefined
      let next = 0
      for (const { type, index, content_block: block, delta } of told) {
        if (type === 'content_block_start') {
          expect([open, index]).toEqual([undefined, next++])
          open = index
          if (block.type === 'tool_use') calls.set(index, { name: block.name, id: block.id, json: '' })
        }
        if (type === 'content_block_delta') expect(index).toBe(open as number)
        const call = calls.get(index)
        if (call && delta?.type === 'input_json_delta') call.json += delta.partial_json
        if (type === 'content_block_stop') open = undefined
      }
      expect([...calls.values()].map(({ name }) => name)).toEqual(TOOLS)
      for (const { json } of calls.values()) expect(JSON.parse(json)).toEqual(ARGUMENTS)
      expect(new Set([...calls.values()].map(({ id }) => id)).size).toBe(TOOLS.length)
      expect(told.find(({ type }) => type === 'message_delta')?.delta.stop_reason).toBe('tool_use')
    })

    test(`${target}: tokens are counted before they are asked`, async () => {
      const { max_tokens: _, stream: __, ...body } = claudeCode(target)
      const response = await claude(body, '/v1/messages/count_tokens?beta=true')
      expect(response.status).toBe(200)
      const { input_tokens: tokens } = (await response.json()) as { input_tokens: number }
      expect(tokens).toBeGreaterThan(5_000)
      expect(tokens).toBeLessThan(100_000)
      expect(response.headers.get('x-tollgate-usage-source')).toBe(target === 'anthropic' ? 'provider' : 'estimated')
    })
  }
})

test('models are found in both shapes', async () => {
  const list = async (headers: Record<string, string>) =>
    (await (
      await fetch(`${house.gateway.url}/v1/models`, {
        headers: { authorization: `Bearer ${house.gateway.masterKey}`, ...headers },
      })
    ).json()) as { object?: string; has_more?: boolean; data: Json[] }
  const theirs = await list({ 'anthropic-version': '2023-06-01' })
  expect(theirs).toMatchObject({ has_more: false })
  expect(theirs.data.find(({ id }) => id === 'gemini')).toMatchObject({ type: 'model', display_name: 'gemini' })
  const ours = await list({})
  expect(ours.object).toBe('list')
  expect(ours.data.find(({ id }) => id === 'gemini')).toMatchObject({ object: 'model' })
})

describe('Codex', () => {
  for (const target of TARGETS) {
    test(`${target}: a long history, then an answer`, async () => {
      const response = await post('/v1/responses', CODEX_HEADERS, codex(target))
      expect(response.status).toBe(200)
      const told = eventsOf(await response.text())
      expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, i) => i))
      expect(told[0]?.type).toBe('response.created')
      expect(told.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } })
      nothingLost(response, [])
      const sent = JSON.stringify(house.last())
      expect(sent).not.toContain(ENCRYPTED)
      // OpenAI's own tools are named where the target has none such.
      expect(dropped(response)).toContain('tools.web_search')
      // A group of tools is no loss: its functions go by one name each.
      expect(sent).toContain('"mcp__docs__search_docs"')
      expect(dropped(response)).not.toContain('tools.mcp__docs')
    })

    test(`${target}: all tools called at once, each an item of its own`, async () => {
      const response = await post('/v1/responses', CODEX_HEADERS, codex(target, QUESTION))
      const told = eventsOf(await response.text())
      const done = told.filter(
        ({ type, item }) => type === 'response.output_item.done' && item.type === 'function_call',
      )
      const names = done.map(({ item }) => item.name)
      expect(names.slice(0, TOOLS.length)).toEqual(TOOLS)
      for (const { item } of done.slice(0, TOOLS.length)) {
        expect(JSON.parse(item.arguments as string)).toEqual(ARGUMENTS)
      }
      expect(new Set(done.map(({ item }) => item.call_id)).size).toBe(done.length)
      // The one of the group is called as Codex knows it, in every event.
      expect(names).toHaveLength(TOOLS.length + 1)
      expect(done.at(-1)?.item).toMatchObject({ name: 'search_docs', namespace: 'mcp__docs' })
      const all = JSON.stringify(told.filter(({ type }) => !type.startsWith('response.created')))
      expect(all).not.toContain('mcp__docs__search_docs')
    })

    test(`${target}: a prompt too long has the code that Codex reads`, async () => {
      const response = await post('/v1/responses', CODEX_HEADERS, codex(`${target}-context`))
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'context_length_exceeded' } })
    })
  }

  test('a server of Responses gets every field as it was', async () => {
    seen = []
    const body = codex('native')
    const response = await post('/v1/responses', CODEX_HEADERS, body, native)
    expect(await response.text()).toContain('response.completed')
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ ...body, model: 'up' })
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer sk-up')
    expect(response.headers.get('x-tollgate-dropped')).toBeNull()
  })

  test('where nothing may be dropped, what the target has not is refused by its name', async () => {
    const before = house.mock.requests.length
    const response = await post('/v1/responses', CODEX_HEADERS, codex('strict'), native)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { code: 'unsupported_parameter', param: expect.stringMatching(/^tools\./) },
    })
    expect(house.mock.requests.length).toBe(before)
  })
})

describe('an agent of chat completions', () => {
  const chat = (body: unknown) => post('/v1/chat/completions', CHAT_HEADERS, body)
  interface Chunk {
    choices: { delta: { content?: string; tool_calls?: Call[] }; finish_reason: string | null }[]
    usage?: { prompt_tokens: number; completion_tokens: number } | null
  }
  interface Call {
    index: number
    id?: string
    function: { name?: string; arguments?: string }
  }
  const chunksOf = (text: string): Chunk[] =>
    [...text.matchAll(/^data: (\{.+)$/gm)].map(([, data]) => JSON.parse(data as string) as Chunk)

  for (const target of TARGETS) {
    test(`${target}: a long history, then an answer`, async () => {
      const body = chatAgent(target)
      expect(JSON.stringify(body).length).toBeGreaterThan(100_000)
      const response = await chat(body)
      expect(response.status).toBe(200)
      const written = await response.text()
      const told = chunksOf(written)
      expect(told.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).not.toBe('')
      expect(told.findLast(({ choices }) => choices.length > 0)?.choices[0]?.finish_reason).toBe('stop')
      expect(told.at(-1)?.usage?.prompt_tokens).toBeGreaterThan(5_000)
      expect(written).toEndWith('data: [DONE]\n\n')
      nothingLost(response, [])
      // Marks for caching go along to whoever reads them.
      const sent = JSON.stringify(house.last())
      if (target === 'openai') expect(house.last()).toEqual({ ...body, model: 'm' })
      if (target === 'anthropic') {
        const { system, tools, messages } = house.last() as Record<string, Json[]>
        expect(system?.at(-1)).toMatchObject({ text: 'mark-second-end', cache_control: { type: 'ephemeral' } })
        expect(tools?.at(-1)).toMatchObject({ name: TOOLS.at(-1), cache_control: { type: 'ephemeral' } })
        // On a text, on a message as a whole, and in the result of a tool.
        expect(JSON.stringify(messages).split('"cache_control"').length - 1).toBe(2)
        expect(JSON.stringify(messages)).toContain(`${mark(70)}","cache_control"`)
      }
      if (target === 'ollama' || target === 'gemini') expect(sent).not.toContain('cache_control')
    })

    test(`${target}: all tools called at once, each at its own index`, async () => {
      const told = chunksOf(await (await chat(chatAgent(target, QUESTION))).text())
      const calls: { name: string; id: string; json: string }[] = []
      for (const { index, id, function: said } of told.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])) {
        calls[index] ??= { name: said.name ?? '', id: id ?? '', json: '' }
        ;(calls[index] as { json: string }).json += said.arguments ?? ''
      }
      expect(calls.map(({ name }) => name)).toEqual(TOOLS)
      for (const { json } of calls) expect(JSON.parse(json)).toEqual(ARGUMENTS)
      expect(new Set(calls.map(({ id }) => id)).size).toBe(TOOLS.length)
      const finishes = told.flatMap(({ choices }) => choices.map(({ finish_reason }) => finish_reason)).filter(Boolean)
      expect(finishes).toEqual(['tool_calls'])
    })
  }
})

const AGENTS = {
  'Claude Code': (model: string) => claude(claudeCode(model)),
  Codex: (model: string) => post('/v1/responses', CODEX_HEADERS, codex(model)),
  'an agent of chat completions': (model: string) => post('/v1/chat/completions', CHAT_HEADERS, chatAgent(model)),
}
const LIMITED = {
  'Claude Code': { type: 'error', error: { type: 'rate_limit_error' } },
  Codex: { error: { code: 'rate_limit_exceeded' } },
  'an agent of chat completions': { error: { code: 'rate_limit_exceeded' } },
}

for (const [agent, asks] of Object.entries(AGENTS))
  for (const kind of TARGETS) {
    test(`${agent}, ${kind}: a prompt too long is told as such, and not worth another try`, async () => {
      const response = await asks(`${kind}-context`)
      expect([response.status, response.headers.get('x-should-retry')]).toEqual([400, 'false'])
      expect(await response.text()).toMatch(/context_length_exceeded|prompt is too long|maximum context length/)
    })

    test(`${agent}, ${kind}: a stream that breaks off is told within it`, async () => {
      const text = await (await asks(`${kind}-cut`)).text()
      expect(text).toContain('not the whole answer')
      expect(text).not.toMatch(/\[DONE\]|message_stop|response\.completed/)
    })
  }

// At the end: a target that asked for patience is left alone for a while.
for (const [agent, asks] of Object.entries(AGENTS))
  for (const kind of TARGETS)
    test(`${agent}, ${kind}: what the target says of when to come back reaches it`, async () => {
      house.mock.plan('m!filter', [
        { status: 429, headers: { 'retry-after': '7' }, error: { message: 'Rate limit reached' } },
      ])
      const response = await asks(`${kind}-filter`)
      expect([response.status, response.headers.get('x-should-retry')]).toEqual([429, 'true'])
      expect(await response.json()).toMatchObject(LIMITED[agent as keyof typeof LIMITED])
      const after = Number(response.headers.get('retry-after'))
      expect(after).toBeGreaterThanOrEqual(6)
      expect(after).toBeLessThanOrEqual(8)
    })
