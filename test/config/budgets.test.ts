/** Budgets in a file: wherever they stand they become one map, and what would bound nothing is told of. */
import { expect, test } from 'bun:test'
import { load } from '../../src/config/load.ts'
import { showProblem } from '../../src/config/problem.ts'
import { PROVIDERS } from './providers.ts'

const MODELS = 'model_list: [{ model_name: a, litellm_params: { model: openai/a, api_key: k } }]\n'
const read = (yaml: string) => load(MODELS + yaml, {}, PROVIDERS)
const told = (yaml: string) => {
  const loaded = read(yaml)
  return loaded.ok
    ? []
    : loaded.errors.map((problem) => showProblem('t.yaml', problem).replace(/^t\.yaml:\d+:\d+ /, ''))
}

test('from every section they become one map of scopes', () => {
  const loaded = read(`
litellm_settings:
  max_budget: 100
  budget_duration: 1mo
  tag_budget_config: { "product:chat": { max_budget: 10, budget_duration: 1d } }
  max_end_user_budget: 0.5
  max_end_user_budget_id: tier
  max_internal_user_budget: 3
  internal_user_budget_duration: 7d
  default_key_generate_params: { max_budget: 5, models: [a] }
  upperbound_key_generate_params: { max_budget: 10, duration: 30d }
router_settings:
  provider_budget_config: { ollama_chat: { budget_limit: 1, time_period: 1d }, openai: { max_budget: 2 } }
tollgate:
  budgets:
    "team:red": { max_budget: 1, budget_limits: [{ max_budget: 0.1, budget_duration: 1h }], budget_mode: soft }
    "model:a": { budget_id: shared }
    "customer:x:y": { model_max_budget: { a: { max_budget: 1 }, "gpt-*": 2 } }
`)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors))
  const { budgets, usualBudgets, newKeys } = loaded.config
  const nano = (dollars: number) => dollars * 1e9
  expect(budgets).toMatchObject({
    gateway: { maxBudget: nano(100), period: { count: 1, unit: 'mo' } },
    'tag:product:chat': { maxBudget: nano(10), budgetDuration: '1d' },
    'provider:ollama': { maxBudget: nano(1), period: { count: 1, unit: 'd' } },
    'provider:openai': { maxBudget: nano(2) },
    'team:red': { maxBudget: nano(1), mode: 'soft', windows: [{ limit: nano(0.1), duration: '1h' }] },
    'model:a': { budgetId: 'shared' },
    'customer:x:y': { perModel: { a: { limit: nano(1) }, 'gpt-*': { limit: nano(2) } } },
  })
  expect(usualBudgets.customer).toMatchObject([{ budgetId: 'tier' }, { maxBudget: nano(0.5) }])
  expect(usualBudgets.user).toMatchObject([{ maxBudget: nano(3), period: { count: 7, unit: 'd' } }])
  expect(newKeys).toEqual({ defaults: { max_budget: 5, models: ['a'] }, bounds: { max_budget: 10, duration: '30d' } })
})

test.each([
  ['tollgate: { budgets: { "taem:red": { max_budget: 1 } } }', 'is no scope', 'Did you mean `team:…`'],
  ['tollgate: { budgets: { team: { max_budget: 1 } } }', 'is no scope'],
  ['tollgate: { budgets: { "team:": { max_budget: 1 } } }', 'is no scope'],
  ['tollgate: { budgets: { "key:abc": { max_budget: 1 } } }', 'is no scope'],
  ['tollgate: { budgets: { "gateway:x": { max_budget: 1 } } }', 'is no scope'],
  ['tollgate: { budgets: { "model:b": { max_budget: 1 } } }', 'there is no model_name `b`'],
  ['tollgate: { budgets: { "model:gpt-*": { max_budget: 1 } } }', 'model_max_budget'],
  ['tollgate: { budgets: { "provider:opnai": { max_budget: 1 } } }', 'Did you mean `openai`?'],
  ['tollgate: { budgets: { "team:red": { budget_duration: 1d } } }', 'nothing would be bounded'],
  ['tollgate: { budgets: { "team:red": { max_budgte: 1 } } }', 'Did you mean `max_budget`?'],
  ['tollgate: { budgets: { "team:red": { model_max_budget: { b: 1 } } } }', 'there is no model_name `b`'],
  ['tollgate: { budgets: { "team:red": { max_budget: 1, budget_duration: often } } }', 'must be a duration'],
  ['router_settings: { provider_budget_config: { opnai: { budget_limit: 1 } } }', 'Did you mean `openai`?'],
  ['router_settings: { provider_budget_config: { openai: { time_period: 1d } } }', 'has no max_budget'],
  ['router_settings: { provider_budget_config: { openai: { budget_limit: 1, max_budget: 2 } } }', 'two amounts'],
  ['litellm_settings: { internal_user_budget_duration: 1d }', 'nothing would be bounded'],
  ['litellm_settings: { upperbound_key_generate_params: { models: [a] } }', 'nobody knows this key'],
  [
    'litellm_settings: { max_budget: 1 }\ntollgate: { budgets: { gateway: { max_budget: 2 } } }',
    'has a budget in litellm_settings.max_budget already',
  ],
] as [string, ...string[]][])('%s', (...row) => {
  const [yaml, ...words] = row as [string, ...string[]]
  const problems = told(yaml)
  expect(problems).toHaveLength(1)
  for (const word of words) expect(problems[0]).toContain(word)
})

test('without a list of models their names are not known yet', () => {
  const loaded = load('tollgate: { budgets: { "model:b": { max_budget: 1 } } }', {}, PROVIDERS)
  expect(loaded.ok && loaded.config.budgets).toMatchObject({ 'model:b': { maxBudget: 1e9 } })
})
