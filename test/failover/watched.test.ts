/** Whole answers that are asked for as streams: the caller sees no difference, and what the target is told says why. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startMock } from '../mock/upstream.ts'
import { ask, type Tongue } from '../support/ask.ts'
import { atRest, makeKey, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { deployment } from './world.ts'

const mock = await startMock({ words: 20 })
let always: Gateway
let usual: Gateway
let never: Gateway
beforeAll(async () => {
  const model_list = (['openai', 'ollama'] as const).flatMap((tongue) => [
    deployment(`lone-${tongue}`, tongue, mock.url, `m-${tongue}`),
    deployment(`two-${tongue}`, tongue, mock.url, `m-${tongue}`, { order: 0 }),
    deployment(`two-${tongue}`, tongue, mock.url, `b-${tongue}`, { order: 1 }),
    deployment(`thinks-${tongue}`, tongue, mock.url, `t-${tongue}!think:6`, { order: 0 }),
    deployment(`thinks-${tongue}`, tongue, mock.url, `b-${tongue}`, { order: 1 }),
    deployment(`lone-thinks-${tongue}`, tongue, mock.url, `t-${tongue}!think:6`),
    deployment(`pausing-${tongue}`, tongue, mock.url, `p-${tongue}!slow:150`, { order: 0 }),
    deployment(`pausing-${tongue}`, tongue, mock.url, `b-${tongue}`, { order: 1 }),
  ])
  const start = (watch_whole: string) =>
    startGateway({
      yaml: {
        model_list,
        tollgate: {
          watch_whole,
          timeouts: { first_byte: 1, first_byte_local: 1, idle: 1 },
          backends: { [mock.url]: { slots: 100 } },
        },
      },
    })
  ;[always, usual, never] = await Promise.all([start('always'), start('local'), start('never')])
})
afterAll(async () => {
  for (const gateway of [always, usual, never]) {
    await atRest(gateway)
    await gateway.stop()
  }
  mock.stop()
})

const TOOLS = [{ type: 'function', function: { name: 'toll', parameters: { type: 'object', properties: {} } } }]
const TWO_TOOLS = [...TOOLS, { type: 'function', function: { name: 'gate', parameters: { type: 'object' } } }]
const REQUESTS: [name: string, alias: string, more: Record<string, unknown>, ofOllama?: Record<string, unknown>][] = [
  ['text', '', {}],
  ['a tool', '', { tools: TOOLS }],
  ['two tools', '', { tools: TWO_TOOLS }],
  ['thinking', 'thinks-', { reasoning_effort: 'low' }, { think: true }],
  ['cut short', '', { max_tokens: 5 }, { options: { num_predict: 5 } }],
]

/** What differs from one answer to the next: names and times. */
function plain(body: string): unknown {
  return JSON.parse(body, (key, value) => {
    if (/^(id|created|created_at|\w+_duration|system_fingerprint)$/.test(key)) return typeof value
    return value
  })
}

const WAYS = [
  ['openai', 'openai'],
  ['ollama', 'ollama'],
  ['openai', 'ollama'],
  ['ollama', 'openai'],
] as const satisfies [Tongue, Tongue][]

for (const [caller, target] of WAYS)
  test.each(REQUESTS)(
    `${target} for ${caller}: %s is the same as without`,
    async (_, alias, forOpenai, forOllama = forOpenai) => {
      const more = caller === 'openai' ? forOpenai : forOllama
      const one = async (model: string, streams: boolean) => {
        const said = await ask(always, { tongue: caller, model, more })
        expect(said).toMatchObject({ status: 200, error: undefined })
        expect((mock.requests.at(-1)!.body as { stream?: boolean }).stream ?? target === 'ollama').toBe(streams)
        return plain(said.body)
      }
      const relayed = await one(`lone-${alias}${target}`, false)
      expect(await one(alias === '' ? `two-${target}` : `${alias}${target}`, true)).toEqual(relayed)
    },
  )

test('several choices are kept apart', async () => {
  const said = await ask(always, { model: 'two-openai', more: { n: 3 } })
  const { choices } = JSON.parse(said.body) as { choices: { index: number; message: { content: string } }[] }
  expect(choices.map(({ index }) => index)).toEqual([0, 1, 2])
  expect(choices.every(({ message }) => message.content.startsWith('Hi'))).toBeTrue()
})

test('who is asked so: where another one could answer, machines in the house, or as the operator says', async () => {
  const streams = async (gateway: Gateway, model: string, more = {}) => {
    await ask(gateway, { model, more })
    return (mock.requests.at(-1)!.body as { stream?: boolean }).stream === true
  }
  expect(await streams(usual, 'two-ollama')).toBeTrue()
  expect(await streams(usual, 'lone-ollama')).toBeFalse()
  expect(await streams(usual, 'two-openai')).toBeFalse()
  expect(await streams(always, 'two-openai')).toBeTrue()
  expect(await streams(never, 'two-ollama')).toBeFalse()
  // Sound comes in another format in a stream.
  expect(await streams(always, 'two-openai', { modalities: ['text'] })).toBeFalse()
})

test('what comes slowly and without a pause is waited for: longer than any silence may last', async () => {
  const key = await makeKey(always)
  for (const tongue of ['openai', 'ollama'] as const) {
    const said = await ask(always, { model: `pausing-${tongue}`, tongue, key })
    expect(said).toMatchObject({ status: 200, whole: true, by: `${tongue}/p-${tongue}!slow:150` })
    expect(said.ms).toBeGreaterThan(2_000)
    expect(said.usage).toEqual({ prompt: 2, completion: 20 })
  }
  await atRest(always)
  const rows = await rowsOf(always, key)
  expect(rows.map((row) => [row.prompt_tokens, row.completion_tokens, row.usage_source])).toEqual([
    [2, 20, 'provider'],
    [2, 20, 'provider'],
  ])
}, 15_000)
