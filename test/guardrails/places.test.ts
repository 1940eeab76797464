/** A forbidden text in every place of a request and of an answer, by a real gateway: it neither leaves nor comes in. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { ANSWERS, REQUESTS } from './places.ts'

type Json = Record<string, unknown>
type Path = readonly (string | number)[]
const WORD = 'mandragora'
const MAIL = 'ada@example.com'

/** What came to the upstream, and what it says to whom. */
const got: string[] = []
let answers: Record<string, unknown> = {}
const SPEAKS: readonly [RegExp, string][] = [
  [/chat\/completions$/, 'openai'],
  [/messages$/, 'anthropic'],
  [/api\/chat$/, 'ollama'],
  [/generateContent/, 'gemini'],
]
const PLAIN: readonly [RegExp, unknown][] = [
  [
    /embeddings$/,
    {
      ...{ object: 'list', model: 'm', usage: { prompt_tokens: 1, total_tokens: 1 } },
      data: [0, 1].map((index) => ({ object: 'embedding', index, embedding: [0.1] })),
    },
  ],
  [
    /completions$/,
    { id: 'c', object: 'text_completion', created: 1, choices: [{ index: 0, text: 'a', finish_reason: 'stop' }] },
  ],
  [
    /api\/generate$/,
    { model: 'm', created_at: '2026-01-01T00:00:00Z', response: 'a', done: true, done_reason: 'stop' },
  ],
  [/rerank$/, { id: 'r', results: [{ index: 0, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } }],
  [/count_tokens$/, { input_tokens: 3 }],
  [/./, { id: 'x', model: 'm', results: [], data: [], created: 1 }],
]

let upstream: ReturnType<typeof Bun.serve>
let gateway: Gateway
beforeAll(async () => {
  upstream = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1', idleTimeout: 0 },
    async fetch(request: Request) {
      const { pathname } = new URL(request.url)
      got.push(`${decodeURIComponent(request.url)}\n${await request.text()}`)
      const speaks = SPEAKS.find(([path]) => path.test(pathname))?.[1] ?? ''
      const own = answers[pathname] ?? answers[speaks] ?? ANSWERS[speaks]
      if (own instanceof Response) return own.clone() as never
      return Response.json(own ?? PLAIN.find(([path]) => path.test(pathname))?.[1]) as never
    },
  })
  const base = `http://127.0.0.1:${upstream.port}`
  const at = (model_name: string, api_base = base) => ({
    model_name,
    litellm_params: { model: `${model_name}/m`, api_base, ...(model_name === 'ollama' ? {} : { api_key: 'sk-up' }) },
  })
  const words = (guardrail_name: string, more: Json) => ({
    guardrail_name,
    litellm_params: { guardrail: 'words', words: [WORD], tool_definitions: true, ...more },
  })
  gateway = await startGateway({
    yaml: {
      model_list: [at('openai', `${base}/v1`), at('anthropic'), at('ollama'), at('gemini'), at('cohere')],
      litellm_settings: { drop_params: true },
      router_settings: { num_retries: 0, disable_cooldowns: true },
      guardrails: [
        words('in', { mode: 'pre_call' }),
        words('out', { mode: 'post_call', on_flagged: 'redact' }),
        words('out-blocks', { mode: 'post_call' }),
        {
          guardrail_name: 'pii',
          litellm_params: { guardrail: 'pii', mode: 'pre_call', on_flagged: 'redact', restore: true },
        },
      ],
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  upstream?.stop(true)
})

async function ask(
  guard: string,
  path: string,
  body: Json | FormData,
): Promise<{ status: number; told: string; headers: Headers }> {
  got.length = 0
  const isForm = body instanceof FormData
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await keyFor(guard)}`,
      'anthropic-version': '2023-06-01',
      ...(isForm ? {} : { 'content-type': 'application/json' }),
    },
    body: isForm ? body : JSON.stringify(body),
  })
  return { status: response.status, told: await response.text(), headers: response.headers }
}

const keys = new Map<string, string>()
async function keyFor(guard: string): Promise<string> {
  const known = keys.get(guard)
  if (known) return known
  const made = (await (
    await gateway.call('POST', '/key/generate', { guardrails: [guard], allowed_passthrough_routes: ['/openai/*'] })
  ).json()) as { key: string }
  keys.set(guard, made.key)
  return made.key
}

function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value === 'string') return [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => leaves(one, [...path, key]))
}

function withLeaf(value: Json, path: Path, change: (old: string) => string): Json {
  const copy = structuredClone(value)
  const holder = path.slice(0, -1).reduce((at, key) => at[key] as Json, copy as Json)
  const last = path.at(-1) as string
  holder[last] = change(String(holder[last]))
  return copy
}

/** Bytes, modes and ids of others: no text to a model. */
const NO_TEXT =
  /\.?(type|role|model|id|detail|format|data|images\.\d+|media_type|mimeType|signature|thoughtSignature|encrypted_content|reasoning_effort|mode|responseMimeType|displayName|modelVersion|responseId|finish_reason|stop_reason|done_reason|finishReason)$/

const isText = (path: Path): boolean => {
  const name = path.join('.')
  return /source\.data$/.test(name) && name.includes('content.1.') ? true : !NO_TEXT.test(name)
}

const beside = (old: string): string =>
  old.startsWith('{') && old.endsWith('}') && !old.includes('{{')
    ? JSON.stringify({ q: `so ${WORD} it` })
    : old.startsWith('data:')
      ? old
      : `${old} ${WORD} x`

describe.each(Object.entries(REQUESTS))('a request: %s', (_, { path, to, body }) => {
  test('goes out, and not with a forbidden text, wherever that stands', async () => {
    const model = path.includes(to) ? {} : { model: to }
    const plain = await ask('in', path, { ...model, ...body })
    expect([plain.status, got.length > 0]).toEqual([200, true])
    for (const leaf of leaves(body).filter(isText)) {
      const { status } = await ask('in', path, { ...model, ...withLeaf(body, leaf, beside) })
      const isOut = got.some((said) => said.includes(WORD))
      expect([leaf.join('.'), isOut, status >= 500]).toEqual([leaf.join('.'), false, false])
    }
  }, 60_000)
})

const ASKS: Readonly<Record<string, [path: string, body: Json]>> = {
  openai: [
    '/v1/chat/completions',
    { n: 2, logprobs: true, top_logprobs: 1, messages: [{ role: 'user', content: 'hi' }] },
  ],
  anthropic: ['/v1/messages', { max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] }],
  ollama: ['/api/chat', { stream: false, messages: [{ role: 'user', content: 'hi' }] }],
  gemini: ['/v1beta/models/gemini:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }],
}

describe.each(Object.entries(ANSWERS))('an answer of %s', (to, answer) => {
  test.each(['out', 'out-blocks'])(
    'comes in without a forbidden text, wherever that stands: %s',
    async (guard) => {
      const [path, body] = ASKS[to] as [string, Json]
      answers = { [to]: answer }
      expect((await ask(guard, path, { model: to, ...body })).status).toBe(200)
      for (const leaf of leaves(answer).filter(isText)) {
        answers = { [to]: withLeaf(answer, leaf, beside) }
        const { status, told } = await ask(guard, path, { model: to, ...body })
        expect([leaf.join('.'), told.includes(WORD), status >= 500]).toEqual([leaf.join('.'), false, false])
      }
      answers = {}
    },
    60_000,
  )
})

const chat = (content: unknown, more: Json = {}): Json => ({
  model: 'openai',
  messages: [{ role: 'user', content }],
  ...more,
})
const CHAT = '/v1/chat/completions'

describe('what is hidden', () => {
  test.each([
    ['an address as the user', chat('hi', { user: MAIL })],
    ['an address as an id that is kept', chat('hi', { safety_identifier: MAIL })],
    ['a key of metadata', chat('hi', { metadata: { [MAIL]: 'x' } })],
    ['an id in metadata', chat('hi', { metadata: { user_id: MAIL } })],
    ['a number', chat('hi', { metadata: { card: 4111111111111111 } })],
    ['a field that only one dialect knows', chat('hi', { extra: { __proto__x: MAIL, ['__proto__']: MAIL } })],
    ['what only begins like bytes', chat('hi', { extra: `data: ${MAIL}` })],
    ['an address that a model fetches', chat([{ type: 'image_url', image_url: { url: `https://e.org/?to=${MAIL}` } }])],
    [
      'a document that is text',
      chat([{ type: 'file', file: { filename: 'a.txt', file_data: `data:text/plain;base64,${btoa(`to ${MAIL}`)}` } }]),
    ],
    [
      'escapes in what a tool gave back',
      {
        model: 'openai',
        messages: [
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              {
                id: 'c',
                type: 'function',
                function: { name: 'f', arguments: '{"to":"{\\"at\\":\\"ad\\\\u0061@example.com\\"}"}' },
              },
            ],
          },
          { role: 'tool', tool_call_id: 'c', content: '{"to":"ad\\u0061@example.com"}' },
        ],
      },
    ],
  ])('%s is taken out', async (_, body) => {
    const { status } = await ask('pii', CHAT, body)
    expect([status, got.length]).toEqual([200, 1])
    const sent = got.join().replace(/\\+u0061/g, 'a')
    const decoded = sent.replace(/base64,([\w+/=]+)/g, (_, data: string) => atob(data))
    expect(decoded).not.toContain(MAIL)
    expect(decoded).not.toContain('4111111111111111')
    expect(decoded).toContain('<')
  })

  test('a field that stands twice goes out as it was read', async () => {
    const twice = `{"model":"openai","messages":[{"role":"user","content":"${WORD}","content":"hi"}]}`
    got.length = 0
    const headers = { authorization: `Bearer ${await keyFor('in')}`, 'content-type': 'application/json' }
    const response = await fetch(gateway.url + CHAT, { method: 'POST', headers, body: twice })
    expect([response.status, got.length, got.join().includes(WORD)]).toEqual([200, 1, false])
    await response.text()
  })

  test('the name of a file in a form', async () => {
    const form = new FormData()
    form.set('model', 'openai')
    form.set('file', new File(['sound'], `${WORD}.mp3`))
    expect([(await ask('in', '/v1/audio/transcriptions', form)).status, got.length]).toEqual([400, 0])
  })

  test('a count is not worth showing it to anybody', async () => {
    const body = { model: 'anthropic', messages: [{ role: 'user', content: `hi ${MAIL}` }] }
    const { status, headers } = await ask('pii', '/v1/messages/count_tokens', body)
    expect([status, got.length, headers.get('x-tollgate-usage-source')]).toEqual([200, 0, 'estimated'])
  })
})

describe('answers that are passed on', () => {
  const transcribe = (): FormData => {
    const form = new FormData()
    form.set('model', 'openai')
    form.set('file', new File(['sound'], 'a.mp3'))
    return form
  }
  const SAID = { text: `so ${WORD}`, usage: { type: 'tokens', input_tokens: 1, output_tokens: 1, total_tokens: 2 } }

  test.each([
    ['a transcript', '/v1/audio/transcriptions', transcribe, () => Response.json(SAID)],
    [
      'a translation that is text',
      '/v1/audio/translations',
      transcribe,
      () => new Response(`so ${WORD}`, { headers: { 'content-type': 'text/plain' } }),
    ],
    [
      'a prompt that was written anew',
      '/v1/images/generations',
      () => ({ model: 'openai', prompt: 'p' }),
      () => Response.json({ created: 1, data: [{ b64_json: 'aGk=', revised_prompt: WORD }] }),
    ],
  ] as const)('%s', async (_, path, body, said) => {
    answers = { [path]: said() }
    const redacted = await ask('out', path, body())
    expect([redacted.status, redacted.told.includes(WORD), redacted.told.includes('<BANNED_WORD>')]).toEqual([
      200,
      false,
      true,
    ])
    const blocked = await ask('out-blocks', path, body())
    expect([blocked.status, blocked.told.includes(WORD)]).toEqual([400, false])
    answers = {}
  })

  test('events of a transcript, wherever the text is cut', async () => {
    const events = [...`so ${WORD} it is`].map(
      (delta) => `data: ${JSON.stringify({ type: 'transcript.text.delta', delta })}\n\n`,
    )
    const path = '/v1/audio/transcriptions'
    answers = { [path]: new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } }) }
    const form = transcribe()
    form.set('stream', 'true')
    const { status, told } = await ask('out', path, form)
    expect([status, told.includes('delta')]).toEqual([400, false])
    answers = {}
  })

  test('what is passed through is not read by whose answers have to be seen', async () => {
    const key = await keyFor('out')
    const response = await fetch(`${gateway.url}/openai/v1/threads/t/messages`, {
      headers: { authorization: `Bearer ${key}` },
    })
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining("'out'")])
  })

  test('documents come back from a ranking as they came', async () => {
    const path = '/v1/rerank'
    const { status, told } = await ask('pii', path, {
      model: 'cohere',
      query: 'q',
      documents: [`to ${MAIL} "x"`],
      return_documents: true,
    })
    expect([status, got.join().includes(MAIL)]).toEqual([200, false])
    expect(JSON.parse(told).results[0].document.text).toBe(`to ${MAIL} "x"`)
  })
})

test('a placeholder that the model writes in its own way comes back, and one that the caller wrote stays', async () => {
  const said = '< email_address_2 > <Email\\_Address\\_2> <EMAIL_ADDRESS_1>'
  answers = {
    openai: {
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: said } }],
    },
  }
  const { told } = await ask('pii', CHAT, chat(`${MAIL} and <email_address_1>`))
  expect(got.join()).toContain('<EMAIL_ADDRESS_2> and <email_address_1>')
  expect(JSON.parse(told).choices[0].message.content).toBe(`${MAIL} ${MAIL} <EMAIL_ADDRESS_1>`)
  answers = {}
})
