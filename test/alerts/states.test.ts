/** What is looked at, of a gateway as it runs: each usual rule about a state, made to hold. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Keyring } from '../../src/admin/keyring.ts'
import { startAlerts } from '../../src/app/alerts.ts'
import { alertSettings, alertsOf } from '../../src/config/alerts.ts'
import { TargetState } from '../../src/core/state.ts'
import { openStore } from '../../src/store/open.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

let mock: Mock
let gateway: Gateway

const model = (name: string, at: string, more: Record<string, unknown> = {}) => ({
  model_name: name,
  litellm_params: {
    ...{ model: at, api_key: 'sk-up', input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
    ...{ api_base: at.startsWith('openai/') ? `${mock.url}/v1` : mock.url, ...more },
  },
})

beforeAll(async () => {
  mock = await startMock({ words: 5 })
  mock.house.load('big', { size: 1_000, sizeVram: 250 })
  const free = { input_cost_per_token: undefined, output_cost_per_token: undefined }
  gateway = await startGateway({
    yaml: {
      model_list: [
        ...['m', 'hangs', 'slow', 'fails'].map((name) => model(name, `openai/${name}`)),
        model('nameless', 'openai/nobody-knows-this-one', free),
        model('big', 'ollama/big'),
      ],
      guardrails: [
        {
          guardrail_name: 'no-cats',
          litellm_params: { guardrail: 'words', mode: 'pre_call', default_on: true, words: ['cats'] },
        },
      ],
      router_settings: { num_retries: 0, disable_cooldowns: true },
      general_settings: { alerting_threshold: 0.4 },
      tollgate: {
        alerts: {
          ...{ every: 0.1, group: 0.1 },
          rules: {
            gpu_spilled: { for: 0 },
            disk: 'disk_free < 100%',
            key_expiry: 'key_days < 7',
            guardrails: 'guardrail_blocks > 2 in 5 minutes',
            slow_target: 'target_first_ms > 150',
            errors: 'error_rate > 50% in 5 minutes',
          },
        },
      },
    },
  })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  mock?.stop()
})

interface Shown {
  rule: string
  subject: string
  message: string
}

async function opened(rule: string, subject?: string): Promise<Shown> {
  for (let i = 0; i < 200; i++) {
    const { open } = (await (await gateway.call('GET', '/alerts')).json()) as { open: Shown[] }
    const found = open.find((alert) => alert.rule === rule && (subject === undefined || alert.subject === subject))
    if (found) return found
    await Bun.sleep(50)
  }
  throw new Error(`${rule} did not open:\n${gateway.logs().slice(-2_000)}`)
}

describe('a gateway finds', () => {
  test('a model that does not lie on the GPU as a whole', async () => {
    await ask(gateway, { model: 'big' })
    expect((await opened('gpu_spilled')).subject).toBe('target:ollama/big')
  }, 20_000)

  test('a disk that fills', async () => {
    expect((await opened('disk')).message).toMatch(/^\d+ % of the disk of the data folder are free\.$/)
  })

  test('a model whose price nobody knows', async () => {
    const key = await makeKey(gateway, { max_budget: 1 })
    expect((await ask(gateway, { model: 'nameless', key })).status).toBe(403)
    expect((await opened('price_unknown')).subject).toBe('model:nameless')
  })

  test('requests that hang', async () => {
    mock.plan('hangs', ['hang'])
    const leaving = new AbortController()
    const hanging = ask(gateway, { model: 'hangs', signal: leaving.signal }).catch(() => undefined)
    expect((await opened('hanging')).message).toBe('1 requests have no answer for 0.4 s.')
    leaving.abort()
    await hanging
  })

  test('a guardrail that blocks much', async () => {
    for (let i = 0; i < 3; i++) expect((await ask(gateway, { model: 'm', text: 'all about cats' })).status).toBe(400)
    expect((await opened('guardrails')).subject).toBe('guardrail:no-cats')
  })

  test('a target that is slow, and a model that fails', async () => {
    mock.plan('slow', [{ delayHeaders: 250 }])
    await ask(gateway, { model: 'slow' })
    expect((await opened('slow_target')).subject).toBe('target:openai/slow')
    mock.plan('fails', ['status:500'])
    for (let i = 0; i < 11; i++) await ask(gateway, { model: 'fails' })
    expect((await opened('errors')).subject).toBe('model:fails')
  })
})

/** What takes days, with a clock and a house of our own. */
describe('a house in which something ends', () => {
  const DAY = 86_400_000
  const keys = (days: number | undefined) => [
    {
      id: 'k1',
      name: 'nightly',
      blocked: false,
      limits: {},
      expiresAt: days === undefined ? undefined : Date.now() + days * DAY,
    },
  ]

  async function found(more: { days?: number; certificateDays?: number }): Promise<Shown[]> {
    const dataDir = makeTemp('alert-states')
    const store = openStore(dataDir)
    const settings = alertSettings.parse({ every: 0.1, rules: { disk: false } })
    const { days, certificateDays } = more
    const alerts = startAlerts(alertsOf(settings, {}, {}), {
      ...{ store, dataDir, links: () => [], stateOf: () => new TargetState(), refresh: () => {} },
      ring: { all: () => keys(days), get: () => undefined } as unknown as Keyring,
      certificate: () =>
        certificateDays === undefined
          ? undefined
          : { names: 'llm.example.com', validTo: Date.now() + certificateDays * DAY },
      hanging: () => 0,
      url: () => undefined,
      fetch: () => Promise.reject(new Error('nobody is told here')),
      now: () => Date.now(),
      warn: () => {},
    })
    await Bun.sleep(300)
    const { open } = alerts.desk.list(10)
    await alerts.desk.stop()
    store.close()
    removeTemp(dataDir)
    return open.map(({ rule, subject, text }) => ({ rule, subject, message: text }))
  }

  test('a key that ends within a week, and no other', async () => {
    const [one, ...others] = await found({ days: 6.9 })
    expect([one?.rule, one?.subject, others]).toEqual(['key_expiry', 'key:k1', []])
    expect(one?.message).toStartWith("The key 'nightly' ends 20")
    expect(await found({ days: 7.1 })).toEqual([])
    expect(await found({ days: -1 })).toEqual([])
  })

  test('a certificate that ends within two weeks', async () => {
    expect((await found({ certificateDays: 13.9 })).map(({ rule, subject }) => [rule, subject])).toEqual([
      ['certificate', 'certificate:llm.example.com'],
    ])
    expect(await found({ certificateDays: 14.1 })).toEqual([])
  })
})
