/** What a right file comes to. */
import { describe, expect, test } from 'bun:test'
import { timeoutsFor } from '../../src/config/config.ts'
import { Secret, secret } from '../../src/secrets/secret.ts'
import { right, told } from './providers.ts'

const model = (params: string) =>
  right(`model_list: [{ model_name: a, litellm_params: { ${params} } }]`).config.models[0]!

test('an empty file is every default', () => {
  for (const text of ['', '# nothing', 'litellm_settings:\nmodel_list:\n', '{}']) {
    const { config, warnings } = right(text)
    expect(warnings).toEqual([])
    expect(config).toMatchObject({
      models: [],
      budgetExceededStatus: 422,
      budgetMode: 'cap',
      budgetWait: 60_000,
      unpriced: 'refuse',
      strategy: 'simple-shuffle',
      retries: 2,
      allowedFails: 3,
      cooldown: 5_000,
      fallbacks: {},
      dropParams: false,
      timeouts: { connect: 10_000, firstByte: 60_000, firstByteLocal: 300_000, idle: 600_000, total: 600_000 },
      bodyLimit: 100 * 1024 * 1024,
      log: 'auto',
      heartbeat: 15_000,
      shutdownGrace: 30_000,
    })
    expect(config.budgets).toEqual({})
    expect(config.masterKey).toBeUndefined()
  }
})

test('both sections merge in one place: the router wins, and the loser is told', () => {
  const text = `model_list: [{ model_name: a, litellm_params: { model: ollama/x } }, { model_name: b, litellm_params: { model: ollama/y } }]
litellm_settings: { num_retries: 1, allowed_fails: 7, request_timeout: 30, fallbacks: [{ a: [b] }], default_fallbacks: [b] }
router_settings: { num_retries: 5, timeout: 20, cooldown_time: 1.5 }`
  const { config, warnings } = right(text)
  expect(config).toMatchObject({ retries: 5, allowedFails: 7, cooldown: 1_500, fallbacks: { a: ['b'], '*': ['b'] } })
  expect(config.timeouts.total).toBe(20_000)
  expect(warnings.map((w) => `${w.path}: ${w.message}`)).toEqual([
    'litellm_settings.num_retries: has no effect: `router_settings.num_retries` wins.',
    'litellm_settings.request_timeout: has no effect: `router_settings.timeout` wins.',
  ])
})

test('an entry says all of itself', () => {
  const said = model(
    'model: cloudy/m, api_key: k, api_base: "https://h/v1/", api_version: v, rpm: 1, tpm: 2, weight: 0.5, order: 3, timeout: 1.5, stream_timeout: 2, max_retries: 0, max_parallel_requests: 4, tags: [t], extra_headers: { X-A: b }, extra_body: { z: [1] }, drop_params: true, temperature: 0, stop: [x], seed: 7, mock_response: hi, aws_region_name: eu',
  )
  expect(said).toMatchObject({
    id: 'a#1',
    provider: 'cloudy',
    apiBase: 'https://h/v1',
    rpm: 1,
    tpm: 2,
    weight: 0.5,
    order: 3,
    timeouts: { total: 1_500, firstByte: 2_000 },
    retries: 0,
    maxParallel: 4,
    tags: ['t'],
    extraBody: { z: [1] },
    dropParams: true,
    defaults: { temperature: 0, stop: ['x'], seed: 7 },
    mockResponse: 'hi',
  })
  expect(said.apiKey?.reveal()).toBe('k')
  expect(said.extraHeaders['X-A']?.reveal()).toBe('b')
  // What only its provider takes goes to the provider, beside the common ones.
  expect(said.settings).toMatchObject({ api_base: 'https://h/v1', api_version: 'v', aws_region_name: 'eu' })
  expect((said.settings.api_key as Secret).reveal()).toBe('k')
})

test('prices become nano-dollars per million tokens; litellm_params win over model_info', () => {
  const { config } = right(
    'model_list: [{ model_name: a, litellm_params: { model: ollama/x, input_cost_per_token: 1.5e-7, input_cost_per_request: 0.01 }, model_info: { input_cost_per_token: 9e-7, output_cost_per_token: 0.0000006 } }]',
  )
  expect(config.models[0]?.price).toEqual({
    rates: { input: 150_000_000, output: 600_000_000, request: 10_000_000 },
  })
})

test('prices of other days go on from the ones before them', () => {
  const { config } = right(
    `model_list: [{ model_name: a, litellm_params: { model: ollama/x, input_cost_per_token: 1e-6, output_cost_per_token: 4e-6,
      prices: [{ from: 2027-01-01, output_cost_per_token: 6e-6 }, { from: "2026-12-01T08:00:00Z", input_cost_per_token: 2e-6 }] } }]`,
  )
  expect(config.models[0]?.price).toEqual({
    rates: { input: 1e9, output: 4e9 },
    later: [
      { from: Date.UTC(2026, 11, 1, 8), price: { rates: { input: 2e9, output: 4e9 } } },
      { from: Date.UTC(2027, 0, 1), price: { rates: { input: 2e9, output: 6e9 } } },
    ],
  })
})

test('discounts and margins: the line of the provider, by any of its names, else the one for all', () => {
  const entry = (name: string) => `{ model_name: ${name}, litellm_params: { model: ${name}/x, api_key: k } }`
  const { config } = right(
    `model_list: [${['openai', 'anthropic', 'ollama', 'demo'].map(entry).join(', ')}]
litellm_settings:
  cost_discount_config: { ollama_chat: 0.05, openai: 0.1 }
  cost_margin_config: { global: 0.2, anthropic: { percentage: 0.3, fixed_amount: 0.001 }, ollama: { fixed_amount: 0.002 } }`,
  )
  expect(config.models.map((m) => [m.alias, m.adjustment])).toEqual([
    ['openai', { discount: 0.1, margin: 0.2, fee: 0 }],
    ['anthropic', { discount: 0, margin: 0.3, fee: 1_000_000 }],
    ['ollama', { discount: 0.05, margin: 0, fee: 2_000_000 }],
    ['demo', { discount: 0, margin: 0.2, fee: 0 }],
  ])
  expect(
    right('model_list: [{ model_name: a, litellm_params: { model: ollama/x } }]').config.models[0]?.adjustment,
  ).toBe(undefined)
})

test('several targets of an alias have ids that stay', () => {
  const { config } = right(
    'model_list: [{ model_name: a, litellm_params: { model: ollama/x } }, { model_name: b, litellm_params: { model: ollama/x } }, { model_name: a, litellm_params: { model: ollama/y }, model_info: { id: mine, own: 1 } }, { model_name: a, litellm_params: { model: ollama/z } }]',
  )
  expect(config.models.map((m) => m.id)).toEqual(['a#1', 'b#1', 'mine', 'a#3'])
  expect(config.models[2]?.info).toEqual({ own: 1 })
})

describe('providers', () => {
  test('prefixes, forced providers and bare names', () => {
    expect(model('model: ollama_chat/m:1b')).toMatchObject({ provider: 'ollama', prefix: 'ollama_chat', model: 'm:1b' })
    expect(model('model: org/m, custom_llm_provider: openai')).toMatchObject({ provider: 'openai', model: 'org/m' })
    expect(model('model: openai/m, custom_llm_provider: openai')).toMatchObject({ provider: 'openai', model: 'm' })
    // Two steps may be one prefix.
    expect(model('model: openai/responses/m')).toMatchObject({ provider: 'two_steps', model: 'm' })
    expect(model('model: openai/org/m')).toMatchObject({ provider: 'openai', model: 'org/m' })
    expect(model('model: gpt-4o')).toMatchObject({ provider: 'openai', model: 'gpt-4o' })
    expect(model('model: openai/org/deep/m')).toMatchObject({ provider: 'openai', model: 'org/deep/m' })
  })

  test('keys and addresses come from the usual variables where the file is silent', () => {
    const text = `model_list:
  - { model_name: a, litellm_params: { model: openai/m } }
  - { model_name: b, litellm_params: { model: openai/m, api_key: own } }
  - { model_name: c, litellm_params: { model: ollama/m } }`
    const { config, warnings } = right(text, {
      OPENAI_API_KEY: 'k',
      OPENAI_BASE_URL: 'https://p/',
      OLLAMA_HOST: '0.0.0.0:99',
    })
    expect(warnings).toEqual([])
    expect(config.models.map((m) => [m.apiKey?.reveal(), m.apiBase])).toEqual([
      ['k', 'https://p'],
      ['own', 'https://p'],
      [undefined, 'http://127.0.0.1:99'],
    ])
  })

  test('a key that is missing, or goes where nobody may expect it, is told of', () => {
    const text = (params: string) => `model_list: [{ model_name: a, litellm_params: { model: openai/m${params} } }]`
    expect(told(text(''))).toEqual([
      'W t.yaml:1:49 model_list[0].litellm_params.model: no key for `openai`: set `api_key`, or the environment variable OPENAI_API_KEY.',
    ])
    expect(told(text(', api_base: "http://h"'), { OPENAI_API_KEY: 'k' })).toEqual([
      'W t.yaml:1:66 model_list[0].litellm_params.api_base: the key in OPENAI_API_KEY is sent to this address. Set `api_key` if it should have another.',
    ])
    expect(told(text(', api_base: "http://h"'))).toEqual([])
    expect(told(text(''), { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'p:1' })).toEqual([
      'E t.yaml:1:49 model_list[0].litellm_params.model: the environment variable OPENAI_BASE_URL must be an http or https address, such as `http://127.0.0.1:11434`.',
    ])
  })

  test('what a provider does not take is told of', () => {
    expect(
      told('model_list: [{ model_name: a, litellm_params: { model: openai/m, api_key: k, num_ctx: 5 } }]'),
    ).toEqual(['W t.yaml:1:78 model_list[0].litellm_params.num_ctx: has no effect: `openai` does not take it.'])
    expect(model('model: ollama/m, num_ctx: 5, keep_alive: -1').settings).toEqual({ num_ctx: 5, keep_alive: -1 })
  })
})

describe('YAML', () => {
  test('anchors and merge keys; what stands in the map itself wins', () => {
    const { config } = right(`model_list:
  - model_name: a
    litellm_params: &base { model: ollama/x, rpm: 5, tpm: 7 }
  - model_name: b
    litellm_params:
      rpm: 9
      <<: *base
  - model_name: c
    litellm_params: { <<: [{ rpm: 1, model: ollama/y }, *base] }`)
    expect(config.models.map((m) => [m.model, m.rpm, m.tpm])).toEqual([
      ['x', 5, 7],
      ['x', 9, 7],
      ['y', 1, 7],
    ])
  })

  test('a key without a value is told of, null is not', () => {
    const text = (value: string) => `litellm_settings:\n  max_budget:${value}\n`
    expect(told(text(''))).toEqual([
      'W t.yaml:2:3 litellm_settings.max_budget: has no value and is left out. Write `null` if that is meant.',
    ])
    expect(told(text(' null'))).toEqual([])
  })
})

test('what LiteLLM knows and is not built is told of with its place, and refuses nothing', () => {
  expect(
    told(
      'general_settings:\n  database_url: x\n  store_model_in_db: true\nlitellm_settings: { set_verbose: true }\ninclude: [x]',
    ),
  ).toEqual([
    'W t.yaml:2:3 general_settings.database_url: `database_url` is known from LiteLLM and not built yet: it has no effect here. Everything is kept in an SQLite file in the data folder.',
    'W t.yaml:3:3 general_settings.store_model_in_db: `store_model_in_db` is known from LiteLLM and not built yet: it has no effect here.',
    'W t.yaml:4:21 litellm_settings.set_verbose: `set_verbose` is known from LiteLLM and not built yet: it has no effect here. Nothing is lost: the log needs no such switch.',
    'W t.yaml:5:1 include: `include` is known from LiteLLM and not built yet: it has no effect here. Put everything into one file for now.',
  ])
  expect(told('router_settings: { routing_strategy: lar1 }')).toEqual([
    'W t.yaml:1:20 router_settings.routing_strategy: `lar1` is known from LiteLLM and not built yet: `simple-shuffle` stands in.',
  ])
})

test('what is read and not built is told of, too', () => {
  const text = 'model_list: [{ model_name: a, litellm_params: { model: ollama/x, tags: [t], mock_response: hi } }]'
  expect(told(text).map((line) => line.split(': ').slice(1).join(': '))).toEqual(
    ['mock_response'].map((key) => `\`${key}\` is known from LiteLLM and not built yet: it has no effect here.`),
  )
})

test("a target's timeouts: its own, else the gateway's; none outlives the total", () => {
  const { config } = right('tollgate: { timeouts: { total: 120, idle: 100 } }')
  expect(timeoutsFor(config, { timeouts: {} }, false)).toEqual({
    connect: 10_000,
    firstByte: 60_000,
    idle: 100_000,
    total: 120_000,
  })
  expect(timeoutsFor(config, { timeouts: {} }, true).firstByte).toBe(120_000)
  expect(timeoutsFor(config, { timeouts: { total: 5_000, firstByte: 50 } }, true)).toEqual({
    connect: 5_000,
    firstByte: 50,
    idle: 5_000,
    total: 5_000,
  })
})

test('other names, and the header of the key', () => {
  const { config } = right(
    'model_list: [{ model_name: a, litellm_params: { model: ollama/x } }]\nrouter_settings: { model_group_alias: { b: a, c: { model: a, hidden: true } } }\ngeneral_settings: { litellm_key_header_name: X-My-Key }',
  )
  expect(config.aliases).toEqual({ b: { model: 'a', hidden: false }, c: { model: 'a', hidden: true } })
  expect(config.keyHeader).toBe('x-my-key')
})

test('a secret does not print, and a setting makes one', () => {
  const hidden = secret().parse('hunter2')
  expect(hidden.reveal()).toBe('hunter2')
  expect(secret().parse(hidden)).toBe(hidden)
  expect(secret().safeParse('').success).toBe(false)
  const everywhere = `${hidden}${JSON.stringify({ hidden })}${Bun.inspect(hidden)}${Bun.inspect({ a: [hidden] })}${Object.values(hidden)}`
  expect(everywhere).not.toContain('hunter2')
  expect(String(new Secret('x'))).toBe('***')
})
