/** What servers of one's own tell of themselves is known: slots, load, models, health; and what it leads to. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import * as watches from '../../providers/watches.ts'
import type { Watch } from '../../src/upstream/provider.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

/** As each one's documentation shows it. */
const METRICS = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="m"} 4.0
vllm:num_requests_waiting_by_reason{engine="0"} 9.0
`
const SLOTS = [
  { id: 0, id_task: 12, n_ctx: 4096, is_processing: true, prompt: 'secret words' },
  { id: 1, id_task: -1, n_ctx: 4096, is_processing: false },
]
const KINDS = {
  hosted_vllm: { '/health': '', '/metrics': METRICS },
  llamacpp: { '/health': { status: 'ok' }, '/props': { total_slots: 2, model_alias: 'm' }, '/slots': SLOTS },
  lm_studio: {
    '/api/v0/models': {
      object: 'list',
      data: [
        { id: 'm', object: 'model', type: 'llm', state: 'loaded', max_context_length: 4096 },
        { id: 'other', object: 'model', type: 'llm', state: 'not-loaded', max_context_length: 4096 },
      ],
    },
  },
  'text-generation-inference': { '/health': '', '/info': { model_id: 'm', max_concurrent_requests: 128 } },
  sglang: {
    '/health': '',
    '/get_server_info': {
      max_running_requests: null,
      internal_states: [{ effective_max_running_requests_per_dp: 64 }, { effective_max_running_requests_per_dp: 64 }],
    },
  },
} as const
type Kind = keyof typeof KINDS

const mocks = new Map<Kind, Mock>()
let ollama: Mock
let twin: Mock
let gateway: Gateway

beforeAll(async () => {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const mock = await startMock({ words: 5 })
    for (const [path, page] of Object.entries(KINDS[kind])) mock.house.pages.set(path, page)
    mocks.set(kind, mock)
  }
  ollama = await startMock({ words: 5, models: ['m', 'big', 'cold'] })
  twin = await startMock({ words: 5, models: ['m', 'big', 'cold'] })
  for (const mock of [ollama, twin]) mock.house.load('m')
  ollama.house.load('big', { size: 1_000, sizeVram: 250 })
  twin.house.load('big', { size: 1_000, sizeVram: 1_000 })
  twin.house.load('cold')
  const both = (model: string) =>
    [ollama, twin].map((mock) => ({
      model_name: model,
      litellm_params: { model: `ollama/${model}`, api_base: mock.url },
    }))
  gateway = await startGateway({
    yaml: {
      model_list: [
        ...[...mocks].map(([kind, mock]) => ({
          model_name: kind,
          litellm_params: { model: `${kind}/m`, api_base: `${mock.url}/v1` },
        })),
        ...['m', 'big', 'cold'].flatMap(both),
      ],
      router_settings: { num_retries: 0 },
    },
  })
  await until(async () => (await told()).every(({ checked_at }) => checked_at !== null))
})
afterAll(async () => {
  await atRest(gateway)
  await gateway.stop()
  for (const mock of [...mocks.values(), ollama, twin]) mock.stop()
})

interface Told {
  url: string
  health: string
  checked_at: string | null
  last_error: string | null
  slots: number | null
  slots_from: string
  told: { running: number; waiting: number } | null
  models: { model: string; size: number | null; cpu_share: number | null }[]
  installed: string[] | null
}
const told = async (): Promise<Told[]> =>
  ((await (await gateway.call('GET', '/backends')).json()) as { data: Told[] }).data
const of = async (kind: Kind | Mock): Promise<Told> => {
  const { url } = typeof kind === 'string' ? (mocks.get(kind) as Mock) : kind
  return (await told()).find((one) => one.url === url) as Told
}
const until = async (holds: () => Promise<boolean> | boolean, ms = 8_000) => {
  for (const end = Date.now() + ms; !(await holds()); await Bun.sleep(20))
    if (Date.now() > end) throw new Error('it did not come to that')
}

describe('each kind of server, by its own pages', () => {
  test.each([
    ['hosted_vllm', { slots: 5, slots_from: 'learned', told: { running: 5, waiting: 4 } }],
    ['llamacpp', { slots: 2, slots_from: 'said', told: { running: 1, waiting: 0 } }],
    ['text-generation-inference', { slots: 128, slots_from: 'said' }],
    ['sglang', { slots: 128, slots_from: 'said' }],
  ] as const)('%s', async (kind, expected) => {
    expect(await of(kind)).toMatchObject({ health: 'up', last_error: null, ...expected })
    expect((await ask(gateway, { model: kind })).status).toBe(200)
  })

  test('lm_studio', async () => {
    expect(await of('lm_studio')).toMatchObject({ health: 'up', installed: ['m', 'other'], slots: null })
    expect((await of('lm_studio')).models.map(({ model }) => model)).toEqual(['m'])
  })

  test('ollama: what it has, what it has loaded, and how much of that lies on the CPU', async () => {
    const { models, installed } = await of(ollama)
    expect(installed).toEqual(['m:latest', 'big:latest', 'cold:latest'])
    expect(models.map(({ model, cpu_share }) => [model, cpu_share])).toEqual([
      ['m', 0],
      ['big', 0.75],
    ])
  })

  test('nothing of prompts that a server shows is told on', async () => {
    expect(JSON.stringify(await told())).not.toContain('secret words')
  })

  test('a page that is something else is no page, and a server without one is not down for that', () => {
    for (const watch of Object.values(watches) as Watch[])
      for (const { read, plain } of watch.looks)
        for (const odd of plain
          ? ['', 'not metrics', 'vllm:num_requests_running']
          : [null, [], {}, 'x', 7, { data: 1 }])
          for (const value of Object.values(read(odd)))
            expect(value === undefined || value === 0 || (Array.isArray(value) && value.length === 0)).toBe(true)
  })
})

test('a model that spilled to the CPU is warned of, and asked last', async () => {
  await until(() => /does not fit on the GPU.*"model":"big:latest","cpu_share":0.75/.test(gateway.logs()))
  for (let i = 0; i < 12; i++) await ask(gateway, { model: 'big' })
  expect([ollama.of('big').length, twin.of('big').length]).toEqual([0, 12])
})

test('who has the model loaded is asked, not who would have to load it', async () => {
  for (let i = 0; i < 12; i++) await ask(gateway, { model: 'cold' })
  expect([ollama.of('cold').length, twin.of('cold').length]).toEqual([0, 12])
})

test('a server that is not well is passed over and told of, and asked again when it is', async () => {
  twin.down()
  await until(async () => (await of(twin)).health === 'down', 40_000)
  expect((await of(twin)).last_error).toContain('does not answer')
  await until(() => gateway.logs().includes('A backend is down.'))
  for (let i = 0; i < 8; i++) expect((await ask(gateway, { model: 'm' })).attempts).toBe(1)
  twin.up()
  await until(async () => (await of(twin)).health === 'up', 20_000)
  await until(() => gateway.logs().includes('A backend is up again.'))
}, 70_000)
