/** Wrong files, and exactly what is said of them. */
import { describe, expect, test } from 'bun:test'
import { told } from './providers.ts'

const model = (params: string, rest = '') => `model_list:
  - model_name: a
    litellm_params:
      model: ollama/x
      ${params}
${rest}`

const at = (key: string, message: string, column = 7) => [
  `E t.yaml:5:${column} model_list[0].litellm_params.${key}: ${message}`,
]

const CASES: [name: string, text: string, expected: string[]][] = [
  ['a slip in a key', model('temprature: 0.5'), at('temprature', 'nobody knows this key. Did you mean `temperature`?')],
  ['hyphens', model('api-base: http://h'), at('api-base', 'nobody knows this key. Did you mean `api_base`?')],
  [
    'a key of nobody',
    model('qqqqqqqq: 1'),
    at('qqqqqqqq', "nobody knows this key. A provider's own parameter goes under `extra_body`."),
  ],
  ['a negative number', model('rpm: -1'), at('rpm', 'must be at least 1, not -1.')],
  ['half a request', model('rpm: 1.5'), at('rpm', 'expects a whole number, not 1.5.')],
  ['a number in quotes', model('tpm: "5"'), at('tpm', 'expects a whole number, not "5". Remove the quotes.')],
  ['yes', model('drop_params: yes'), at('drop_params', 'expects true or false, not "yes". Write `true`.')],
  ['text for a list', model('tags: x'), at('tags', 'expects a list of text, not "x".')],
  ['neither of two kinds', model('stop: { a: 1 }'), at('stop', 'expects text or a list of text, not a map.')],
  ['too hot', model('temperature: 3'), at('temperature', 'must be at most 2, not 3.')],
  ['no time at all', model('timeout: 0'), at('timeout', 'must be more than 0, not 0.')],
  [
    'an address without a scheme',
    model('api_base: localhost:11434'),
    at('api_base', 'must be an http or https address, such as `http://127.0.0.1:11434`.'),
  ],
  [
    'a password in an address',
    model('api_base: http://u:hunter2@h'),
    at('api_base', 'must hold no user and password: use `api_key` or `extra_headers`.'),
  ],
  [
    'a token by oidc',
    model('api_key: oidc/google/x'),
    at('api_key', 'tokens by `oidc/…` are known from LiteLLM and not built yet.'),
  ],
  [
    'a key that would let things pass',
    model('guardrails: [pii]'),
    at('guardrails[0]', 'there is no guardrail `pii`.', 20),
  ],
  [
    'a price of a day that is none',
    model('prices: [{ from: 2026-13-01 }, { from: 2026-12-01, input_cost_per_tokn: 1 }, { from: 2026-12-01 }]'),
    [
      ...at('prices[0].from', 'must be a day (`2026-12-01`) or a moment (`2026-12-01T08:00:00Z`), in UTC.', 18),
      ...at('prices[1].input_cost_per_tokn', 'is no word for a price, or no number.', 58),
      ...at('prices[2].from', 'stands twice. Put both prices together.', 86),
    ],
  ],
  [
    'a tier without a range',
    model('tiered_pricing: [{ input_cost_per_token: 0.1 }, { range: [0, 5], mode: 1 }]'),
    [
      ...at('tiered_pricing[0]', 'needs a `range` of two numbers: `[0, 32000]`.', 24),
      ...at('tiered_pricing[1].mode', 'is no word for a price, or no number.', 72),
    ],
  ],
  [
    'a margin of a provider that is none',
    'litellm_settings:\n  cost_margin_config: { globl: 0.1 }\n  cost_discount_config: { global: 0.1, openai: 2 }',
    [
      'E t.yaml:2:25 litellm_settings.cost_margin_config.globl: there is no provider `globl`. Did you mean `global`?',
      'E t.yaml:3:27 litellm_settings.cost_discount_config.global: there is no provider `global`.',
      'E t.yaml:3:40 litellm_settings.cost_discount_config.openai: must be at most 1, not 2.',
    ],
  ],
  [
    'a key that stands twice',
    model('rpm: 1\n      rpm: 2'),
    ['E t.yaml:6:7 model_list[0].litellm_params.rpm: stands here twice; the first is in line 5. Keep one of them.'],
  ],
  [
    'an unknown provider',
    'model_list: [{ model_name: a, litellm_params: { model: olama/b } }]',
    ['E t.yaml:1:49 model_list[0].litellm_params.model: nobody knows the provider `olama`. Did you mean `ollama`?'],
  ],
  [
    'a provider that is not built',
    'model_list: [{ model_name: a, litellm_params: { model: bedrock/b } }]',
    [
      "E t.yaml:1:49 model_list[0].litellm_params.model: the provider `bedrock` is known from LiteLLM and not built yet. A server that speaks OpenAI's dialect is reached with `openai/…` and `api_base`.",
    ],
  ],
  [
    'no provider',
    'model_list: [{ model_name: a, litellm_params: { model: mistral } }]',
    [
      'E t.yaml:1:49 model_list[0].litellm_params.model: `mistral` has no provider before it. Write `provider/mistral`, for instance `ollama/mistral`.',
    ],
  ],
  [
    'no model',
    'model_list: [{ model_name: a, litellm_params: { model: ollama/ } }]',
    ['E t.yaml:1:49 model_list[0].litellm_params.model: names no model behind `ollama/`.'],
  ],
  [
    'a star without a pattern',
    'model_list: [{ model_name: a, litellm_params: { model: ollama/* } }]',
    ['E t.yaml:1:49 model_list[0].litellm_params.model: holds a `*`, but `model_name` has none to fill it with.'],
  ],
  [
    'what must be there',
    'model_list: [{ model_name: a }, { litellm_params: {} }]',
    [
      'E t.yaml:1:14 model_list[0].litellm_params: is missing. What answers, and how it is asked.',
      'E t.yaml:1:33 model_list[1].model_name: is missing. The alias that callers ask for. Several entries with the same name share its requests. May be a pattern: `openai/*`.',
      "E t.yaml:1:35 model_list[1].litellm_params.model: is missing. The provider's prefix, a slash, and the model in the provider's words: `ollama/mistral`, `openai/gpt-4o`. May hold a `*` where `model_name` does.",
    ],
  ],
  [
    'a number for a name',
    'model_list: [{ model_name: 4.1, litellm_params: { model: ollama/x } }]',
    ['E t.yaml:1:16 model_list[0].model_name: expects text, not 4.1. Put it in quotes: "4.1".'],
  ],
  [
    'a key beside litellm_params',
    'model_list: [{ model_name: a, rpm: 5, litellm_params: { model: ollama/x } }]',
    ['E t.yaml:1:31 model_list[0].rpm: belongs in `litellm_params`.'],
  ],
  [
    'the same id twice',
    `model_list:
  - { model_name: a, litellm_params: { model: ollama/x }, model_info: { id: one } }
  - { model_name: b, litellm_params: { model: ollama/x }, model_info: { id: one } }`,
    ['E t.yaml:3:73 model_list[1].model_info.id: `one` is taken by model_list[0].model_info.id. Each id stands once.'],
  ],
  [
    'a slip in model_info, where keys of one’s own are welcome',
    'model_list: [{ model_name: a, litellm_params: { model: ollama/x }, model_info: { supports_visoin: true, mine: 1 } }]',
    ['E t.yaml:1:82 model_list[0].model_info.supports_visoin: nobody knows this key. Did you mean `supports_vision`?'],
  ],
  [
    'a section',
    'rooter_settings: {}',
    ['E t.yaml:1:1 rooter_settings: nobody knows this key. Did you mean `router_settings`?'],
  ],
  [
    'no section at all',
    'wwww: 1',
    [
      'E t.yaml:1:1 wwww: nobody knows this key. The sections are model_list, credential_list, guardrails, general_settings, litellm_settings, router_settings, tollgate, environment_variables.',
    ],
  ],
  [
    'guardrails in their old place',
    'litellm_settings:\n  guardrails: []',
    [
      'E t.yaml:2:3 litellm_settings.guardrails: `guardrails` is a place of LiteLLM’s that has another one here. What looks at requests stands in the list `guardrails` at the top of the file: docs/guardrails.md.',
    ],
  ],
  [
    'who may come in',
    'general_settings:\n  custom_auth: a.b',
    [
      'E t.yaml:2:3 general_settings.custom_auth: `custom_auth` is known from LiteLLM and not built yet. It decides who may come in: refusing to start without it. Remove the key if you can do without.',
    ],
  ],
  [
    'the wrong section',
    'general_settings: { routing_strategy: simple-shuffle, num_retries: 1 }',
    [
      'E t.yaml:1:21 general_settings.routing_strategy: belongs in `router_settings`.',
      'E t.yaml:1:55 general_settings.num_retries: belongs in `litellm_settings` or `router_settings`.',
    ],
  ],
  [
    "LiteLLM's key in the wrong section",
    'router_settings: { json_logs: true }',
    [
      'E t.yaml:1:20 router_settings.json_logs: nobody knows this key here. LiteLLM has it in `litellm_settings`; it is not built yet.',
    ],
  ],
  [
    'a strategy that was cut off',
    'router_settings: { routing_strategy: usage-based }',
    [
      'E t.yaml:1:20 router_settings.routing_strategy: expects one of simple-shuffle, usage-based-routing, usage-based-routing-v2, least-busy, latency-based-routing, cost-based-routing, lowest-queue, sticky, lar1, not "usage-based". Did you mean `usage-based-routing`?',
    ],
  ],
  [
    'a master key without its beginning',
    'general_settings: { master_key: 12345678901 }',
    ['E t.yaml:1:21 general_settings.master_key: expects text, not this. Put it in quotes.'],
  ],
  [
    'a short master key',
    'general_settings: { master_key: sk-1234 }',
    ['E t.yaml:1:21 general_settings.master_key: must have at least 8 characters.'],
  ],
  [
    'a master key of another make',
    'general_settings: { master_key: abcdefghij }',
    ['E t.yaml:1:21 general_settings.master_key: must begin with `sk-`.'],
  ],
  [
    'a header that is none',
    'general_settings: { key_header: "X Key:" }',
    ['E t.yaml:1:21 general_settings.key_header: must be the name of a header: letters, digits and hyphens.'],
  ],
  [
    'a negative budget',
    'litellm_settings: { max_budget: -1 }',
    ['E t.yaml:1:21 litellm_settings.max_budget: must be more than 0, not -1.'],
  ],
  [
    'a budget without a bound',
    'litellm_settings: { budget_duration: 1d }',
    [
      'E t.yaml:1:21 litellm_settings.budget_duration: has no `max_budget` beside it, so nothing would be bounded. Add `max_budget`, or remove this.',
    ],
  ],
  [
    'a duration that is none',
    'litellm_settings: { max_budget: 1, budget_duration: 1 month }',
    [
      'E t.yaml:1:36 litellm_settings.budget_duration: `1 month` is no duration. Write a number and one of s, m, h, d, w, mo: `30d`, `1mo`.',
    ],
  ],
  [
    'fallbacks to nowhere',
    model('rpm: 1', 'router_settings:\n  fallbacks: [{ a: [aa], "*": [b] }]\n  model_group_alias: { x: a, y: aa }'),
    [
      'E t.yaml:7:21 router_settings.fallbacks[0].a[0]: there is no model_name `aa`. Did you mean `a`?',
      'E t.yaml:7:32 router_settings.fallbacks[0]["*"][0]: there is no model_name `b`. Did you mean `a`?',
      'E t.yaml:8:30 router_settings.model_group_alias.y: there is no model_name `aa`. Did you mean `a`?',
    ],
  ],
  [
    'a fallback to itself',
    model('rpm: 1', 'litellm_settings: { fallbacks: [{ a: [a] }] }'),
    ["E t.yaml:6:39 litellm_settings.fallbacks[0].a[0]: `a` can't fall back to itself."],
  ],
  ['a file that is a list', '- 1', ['E t.yaml:1:1: expects a map, not a list.']],
  ['a word', 'hello', ['E t.yaml:1:1: expects a map, not "hello".']],
  [
    'YAML that breaks off',
    'a: [1\nb: 2',
    [
      'E t.yaml:2:1: is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ].',
    ],
  ],
  ['a tab', 'model_list:\n\t- a', ['E t.yaml:2:1: is not valid YAML: Tabs are not allowed as indentation.']],
  [
    'two documents',
    'tollgate: {}\n---\ntollgate: {}',
    ['E t.yaml:2:1: holds several documents. Keep one: remove the line `---`.'],
  ],
  [
    'an anchor that is not there',
    'tollgate: *x',
    ['E t.yaml:1:11 tollgate: there is no anchor `&x` above for this alias.'],
  ],
]

describe('a wrong file is told of exactly', () => {
  for (const [name, text, expected] of CASES) test(name, () => expect(told(text)).toEqual(expected))
})

test('every error is told at once, sorted by line', () => {
  const said = told(`model_list:
  - { model_name: a, litellm_params: { modle: ollama/x, rpm: -1 } }
  - { model_name: b, litellm_params: { model: nope/x } }
general_settings: { master_key: short, allowed_ips: [] }
litellm_settings: { budget_duration: never, max_budget: x }
rooter: {}
`)
  expect(said.map((line) => /^E t\.yaml:(\d+):\d+ (\S+):/.exec(line)?.slice(1).join(' '))).toEqual([
    '2 model_list[0].litellm_params.model',
    '2 model_list[0].litellm_params.modle',
    '2 model_list[0].litellm_params.rpm',
    '3 model_list[1].litellm_params.model',
    '4 general_settings.master_key',
    '4 general_settings.allowed_ips',
    '5 litellm_settings.budget_duration',
    '5 litellm_settings.max_budget',
    '6 rooter',
  ])
})

test('a secret is never repeated in an error', () => {
  const said = told(
    'general_settings: { master_key: [sk-hunter2hunter2] }\nlitellm_settings: { max_budget: os.environ/S }',
    {
      S: 'hunter3',
    },
  ).join('\n')
  expect(said).toContain('max_budget')
  expect(said).not.toContain('hunter')
})

test('an alias that holds itself comes to an end', () => {
  expect(told('a: &a [*a]').some((line) => line.includes('is too large or too deep'))).toBe(true)
  const bomb = ['x0: &x0 [1,1,1,1,1,1,1,1,1,1]']
  for (let i = 1; i < 9; i++)
    bomb.push(
      `x${i}: &x${i} [${Array(10)
        .fill(`*x${i - 1}`)
        .join(',')}]`,
    )
  const before = Date.now()
  expect(told(bomb.join('\n')).some((line) => line.includes('is too large or too deep'))).toBe(true)
  expect(Date.now() - before).toBeLessThan(3_000)
})
