/** A file from LiteLLM's world that must start and work as it is. */
import { expect, test } from 'bun:test'
import { right, told } from './providers.ts'

const FILE = `model_list:
  - { model_name: "moltbot-llm", litellm_params: { model: "ollama/mistral", api_base: "http://127.0.0.1:11434" } }
general_settings: { master_key: "sk-\${LITELLM_MASTER_KEY}" }
litellm_settings: { max_budget: 100, budget_duration: "1mo", success_callback: ["langfuse"] }
router_settings: { routing_strategy: "usage-based-routing", num_retries: 3 }
`

test('it loads, and says everything that was meant', () => {
  const { config } = right(FILE, { LITELLM_MASTER_KEY: 'correct-horse' })
  expect(config.models).toHaveLength(1)
  expect(config.models[0]).toMatchObject({
    alias: 'moltbot-llm',
    id: 'moltbot-llm#1',
    provider: 'ollama',
    model: 'mistral',
    apiBase: 'http://127.0.0.1:11434',
  })
  expect(config.masterKey?.reveal()).toBe('sk-correct-horse')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for a shell
  expect(config.masterKeyShell).toBe('sk-${LITELLM_MASTER_KEY}')
  expect(config.budgets.gateway).toMatchObject({
    maxBudget: 100_000_000_000,
    period: { count: 1, unit: 'mo' },
    budgetDuration: '1mo',
  })
  expect(config.strategy).toBe('usage-based-routing')
  expect(config.retries).toBe(3)
})

test('a callback that is not built is a warning, with its place', () => {
  expect(told(FILE, { LITELLM_MASTER_KEY: 'correct-horse' })).toEqual([
    'W t.yaml:4:81 litellm_settings.success_callback[0]: the callback `langfuse` is known from LiteLLM and not built yet: nothing is sent there.',
  ])
})

test('without its variable it names the variable, the line and what to do', () => {
  expect(told(FILE)[0]).toBe(
    'E t.yaml:3:21 general_settings.master_key: the environment variable LITELLM_MASTER_KEY is not set. Set it before the start: `export LITELLM_MASTER_KEY=…`.',
  )
  expect(told(FILE, { LITELLM_MASTER_KEY: '' })[0]).toContain('LITELLM_MASTER_KEY is set but empty')
})

test('no secret is printed, however the configuration is', () => {
  const { config } = right(FILE, { LITELLM_MASTER_KEY: 'correct-horse' })
  expect(JSON.stringify(config) + Bun.inspect(config, { depth: 20 }) + String(config.masterKey)).not.toContain(
    'correct-horse',
  )
})
