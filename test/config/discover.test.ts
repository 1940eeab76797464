import { describe, expect, test } from 'bun:test'
import { discover, discovered, firstToTry, readTags } from '../../src/config/discover.ts'
import { ollamaOrigin } from '../../src/config/ollama-host.ts'
import { PROVIDERS } from './providers.ts'

describe('OLLAMA_HOST is read as Ollama reads it', () => {
  const cases: [string | undefined, string][] = [
    [undefined, 'http://127.0.0.1:11434'],
    ['', 'http://127.0.0.1:11434'],
    ['gpu', 'http://gpu:11434'],
    ['gpu:1234', 'http://gpu:1234'],
    [':1234', 'http://127.0.0.1:1234'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['0.0.0.0:99', 'http://127.0.0.1:99'],
    ['http://gpu', 'http://gpu:80'],
    ['https://gpu', 'https://gpu:443'],
    ['https://gpu:8443/ollama/', 'https://gpu:8443/ollama'],
    ['[::1]', 'http://[::1]:11434'],
    ['[::1]:5', 'http://[::1]:5'],
    ['::1', 'http://[::1]:11434'],
    ['[::]', 'http://127.0.0.1:11434'],
    [' "gpu:7" ', 'http://gpu:7'],
    ['gpu:99999', 'http://gpu:11434'],
  ]
  for (const [said, origin] of cases) test(String(said), () => expect(ollamaOrigin(said)).toBe(origin))
})

const origin = 'http://127.0.0.1:11434'
const none = { ok: false, why: 'nothing listens there' } as const

test("Ollama's models get their bare name and one with the prefix", () => {
  const { config, found, first } = discovered({}, PROVIDERS, origin, {
    ok: true,
    models: ['mistral:latest', 'qwen3:4b'],
  })
  expect(config.models.map((m) => [m.alias, m.provider, m.model, m.apiBase])).toEqual([
    ['mistral', 'ollama', 'mistral:latest', origin],
    ['ollama/mistral', 'ollama', 'mistral:latest', origin],
    ['qwen3:4b', 'ollama', 'qwen3:4b', origin],
    ['ollama/qwen3:4b', 'ollama', 'qwen3:4b', origin],
  ])
  expect(found).toEqual([`Ollama at ${origin}: mistral, qwen3:4b`])
  expect(first).toBe('mistral')
})

test('key variables open the clouds that have a provider, as patterns; keys do not print', () => {
  const { config, file, found, first } = discovered(
    { OPENAI_API_KEY: 'k-1', GROQ_API_KEY: 'k-2' },
    PROVIDERS,
    origin,
    none,
  )
  expect(config.models.map((m) => [m.alias, m.model, m.apiKey?.reveal()])).toEqual([['openai/*', '*', 'k-1']])
  expect(file.model_list[0]?.litellm_params.api_key).toBe('os.environ/OPENAI_API_KEY')
  expect(found).toEqual([`no Ollama at ${origin} (nothing listens there)`, 'OPENAI_API_KEY: openai/*'])
  expect(first).toBe('openai/gpt-4o-mini')
  expect(Bun.inspect({ config, found, file }, { depth: 9 })).not.toContain('k-1')
})

test('an empty variable is none, and where nothing is found the demo answers', () => {
  const { config, found, first } = discovered({ OPENAI_API_KEY: '' }, PROVIDERS, origin, none)
  expect(config.models.map((m) => [m.alias, m.provider, m.model])).toEqual([['demo', 'demo', 'demo']])
  expect(found.at(-1)).toBe('no model found: the built-in `demo` answers')
  expect(first).toBe('demo')
})

test('an Ollama without models leads to the demo, and says how to get one', () => {
  const { config, found } = discovered({}, PROVIDERS, origin, { ok: true, models: [] })
  expect(config.models.map((m) => m.alias)).toEqual(['demo'])
  expect(found[0]).toContain('ollama pull')
})

test('an embedder is not the first to try', () => {
  expect(firstToTry([{ model_name: 'nomic-embed-text' }, { model_name: 'mistral' }])).toBe('mistral')
  expect(firstToTry([{ model_name: 'nomic-embed-text' }, { model_name: 'openai/*' }])).toBe('openai/gpt-4o-mini')
  expect(firstToTry([{ model_name: 'nomic-embed-text' }])).toBe('nomic-embed-text')
})

test('the probe is asked where OLLAMA_HOST points', async () => {
  const asked: string[] = []
  const { config } = await discover({ OLLAMA_HOST: 'gpu' }, PROVIDERS, async (at) => {
    asked.push(at)
    return { ok: true, models: ['m'] }
  })
  expect(asked).toEqual(['http://gpu:11434'])
  expect(config.models[0]?.apiBase).toBe('http://gpu:11434')
})

test('the answer of /api/tags', () => {
  expect(readTags({ models: [{ name: 'a' }, { nome: 'b' }, null] })).toEqual(['a'])
  for (const body of [null, 5, {}, { models: 'x' }]) expect(readTags(body)).toBeUndefined()
})
