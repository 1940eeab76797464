/** `guardrails:` of a file: what is wrong is told where it stands; what is right comes to terms. */
import { describe, expect, test } from 'bun:test'
import { guardKinds } from '../../src/app.ts'
import { load } from '../../src/config/load.ts'
import { PROVIDERS } from './providers.ts'

const file = (params: string, more = '') =>
  load(
    `model_list: [{ model_name: m, litellm_params: { model: ollama/x, guardrails: [g] } }]
guardrails:
  - guardrail_name: g
    litellm_params: ${params}
${more}`,
    { LAKERA_API_KEY: 'k' },
    PROVIDERS,
    undefined,
    guardKinds(),
  )

function told(params: string, more?: string): string[] {
  const loaded = file(params, more)
  return loaded.ok ? [] : loaded.errors.map(({ path, message }) => `${path}: ${message}`)
}

function termsOf(params: string) {
  const loaded = file(params)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors))
  return loaded.config.guardrails[0]
}

const at = 'guardrails[0].litellm_params'

describe('what is wrong', () => {
  test.each([
    ['{ guardrail: words, mode: pre_call, words: [a], colour: red }', `${at}.colour: nobody knows this key.`],
    ['{ guardrail: words, mode: pre_call, words: [a], on_flaged: block }', 'Did you mean `on_flagged`?'],
    [
      '{ guardrail: wordz, mode: pre_call }',
      `${at}.guardrail: there is no kind of guard \`wordz\`. Did you mean \`words\`?`,
    ],
    ['{ guardrail: aporia, mode: pre_call, api_key: x }', '`aporia` is known from LiteLLM and not built yet'],
    ['{ guardrail: words, mode: precall, words: [a] }', `${at}.mode: `],
    ['{ guardrail: words, words: [a] }', `${at}.mode: is missing.`],
    ['{ guardrail: words, mode: pre_call, words: [a], sample: 2 }', `${at}.sample: must be at most 1`],
    ['{ guardrail: words, mode: during_call, words: [a], on_flagged: redact }', 'can not redact in `during_call`'],
    ['{ guardrail: words, mode: post_call, words: [a], on_flagged: local_only }', '`local_only` is decided before'],
    ['{ guardrail: words, mode: pre_call, words: [a], restore: true }', 'restores nothing where nothing is redacted'],
    ['{ guardrail: words, mode: pre_call, words: [a], default_on: true, teams: [a] }', `${at}.teams: has no effect`],
    ['{ guardrail: words, mode: pre_call, words: [a], cache: { in: redis } }', 'there is no Redis'],
    ['{ guardrail: words, mode: pre_call, words: a }', `${at}.words: `],
  ])('%s', (params, expected) => {
    expect(told(params).join('\n')).toContain(expected)
  })

  test('a name twice, and one that is nobody’s', () => {
    const two = told(
      '{ guardrail: words, mode: pre_call, words: [a] }',
      '  - { guardrail_name: g, litellm_params: { guardrail: words, mode: pre_call, words: [a] } }',
    )
    expect(two).toEqual(['guardrails[1].guardrail_name: `g` is taken by guardrails.0. Each name stands once.'])
  })

  test('a kind that nobody knows is told once, not by each of its settings', () => {
    expect(told('{ guardrail: wordz, mode: pre_call, a: 1, b: 2, c: 3 }').length).toBe(1)
  })
})

describe('what is right', () => {
  test('every default, and the model that names it', () => {
    expect(termsOf('{ guardrail: words, mode: pre_call, words: [a] }')).toMatchObject({
      ...{
        name: 'g',
        kind: 'words',
        modes: ['pre_call'],
        onFlagged: 'block',
        onError: 'fail_closed',
        timeoutMs: 5_000,
      },
      ...{ retries: 1, cache: undefined, sample: 1, restore: false, unseen: 'refuse', every: 400 },
      where: { everywhere: false, models: ['m'] },
    })
  })

  test('LiteLLM’s words for it', () => {
    const params = '{ guardrail: presidio, mode: [pre_call, post_call], default_on: true, output_parse_pii: true'
    const rest = 'presidio_analyzer_api_base: "http://127.0.0.1:3000" }'
    expect(termsOf(`${params}, unreachable_fallback: fail_open, ${rest}`)).toMatchObject({
      ...{ kind: 'presidio', modes: ['pre_call', 'post_call'], restore: true, onError: 'fail_open' },
      onFlagged: 'redact',
      where: { everywhere: true },
    })
  })

  test('a scanner on a private address is one of the house', () => {
    const asks = (url: string) => termsOf(`{ guardrail: lakera_v2, mode: pre_call, api_key: k, api_base: "${url}" }`)
    expect(asks('http://10.0.0.7:8080')?.inHouse).toBeTrue()
    expect(asks('https://api.lakera.ai')?.inHouse).toBeFalse()
    const hook = (url: string) => termsOf(`{ guardrail: webhook, mode: pre_call, url: "${url}" }`)
    expect(hook('http://192.168.3.4/scan')?.inHouse).toBeTrue()
    expect(hook('http://[::1]:9/')?.inHouse).toBeTrue()
    expect(hook('https://scan.example/')?.inHouse).toBeFalse()
    const presidio = (url: string) =>
      termsOf(`{ guardrail: presidio, mode: pre_call, presidio_analyzer_api_base: "${url}" }`)
    expect(presidio('http://127.0.0.1:5002')?.inHouse).toBeTrue()
    expect(presidio('https://presidio.example')?.inHouse).toBeFalse()
    expect(termsOf('{ guardrail: openai_moderation, mode: pre_call, api_key: k }')?.inHouse).toBeFalse()
    expect(
      termsOf('{ guardrail: webhook, mode: pre_call, url: "http://10.0.0.7", in_house: false }')?.inHouse,
    ).toBeFalse()
  })

  test('LiteLLM’s `monitor` warns', () => {
    expect(termsOf('{ guardrail: lakera_v2, mode: pre_call, api_key: k, on_flagged: monitor }')?.onFlagged).toBe('warn')
  })
})
