/** `tollgate prices`, with the real price library. */
import { describe, expect, test } from 'bun:test'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as app from '../../src/app.ts'
import { folder, type Ran, tollgate } from './world.ts'

const CONFIG = `
model_list:
  - { model_name: gpt, litellm_params: { model: openai/gpt-4o, api_key: k } }
  - model_name: paint
    litellm_params: { model: openai/painter, api_key: k, output_cost_per_image: 0.04, input_cost_per_token_flex: 0.000001 }
  - { model_name: mine, litellm_params: { model: openai/unheard-of, api_key: k } }
  - { model_name: home, litellm_params: { model: ollama/mistral } }
  - { model_name: 'openai/*', litellm_params: { model: 'openai/*', api_key: k } }
`
const home = await folder()
const file = join(home, 'tollgate.yaml')
await writeFile(file, CONFIG)

const prices = (...words: string[]): Promise<Ran> =>
  tollgate(['prices', ...words, '--config', file], {}, { app: async () => app })
const json = async (...words: string[]) => JSON.parse((await prices(...words, '--json')).out)

describe('list', () => {
  test('names what each model costs, and what has no price', async () => {
    const { code, out } = await prices('list')
    expect(code).toBe(0)
    expect(out).toMatch(/^gpt +openai\/gpt-4o +2\.5 +1\.25 +10 +genai-prices@[\d.]+:openai\/gpt-4o$/m)
    expect(out).toContain('    output_cost_per_image: $0.04 each')
    expect(out).toContain('    input_cost_per_token_flex: $1 per million tokens')
    expect(out).toMatch(/^mine +openai\/unheard-of +\? +\? +\? +-$/m)
    expect(out).toMatch(/^home +ollama\/mistral +0 +- +0 +free$/m)
    expect(out).toMatch(/^openai\/\*: each model by its own name; \d\d are known/m)
    expect(out).toMatch(/^Without a price: mine\.$/m)
    expect((await prices()).out).toBe(out)
  })

  test('a filter finds models behind a pattern, too', async () => {
    expect((await json('list', '4.1-NANO')).map((row: { target: string }) => row.target)).toEqual([
      'openai/gpt-4.1-nano',
    ])
    expect((await prices('list', 'nothing like this')).out).toBe('There is nothing like this.')
  })

  test('as JSON in LiteLLM’s words', async () => {
    const [gpt] = await json('list', 'gpt-4o-mini', '--library')
    expect(gpt).toMatchObject({ known: true, input_cost_per_token: 1.5e-7, output_cost_per_token: 6e-7 })
    expect(await json('list', 'unheard')).toEqual([
      { model_name: 'mine', id: 'mine#1', target: 'openai/unheard-of', known: false, version: null },
    ])
  })

  test('the library has each list once', async () => {
    const rows = (await json('--library')) as { target: string }[]
    const names = rows.map(({ target }) => target)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('openai/gpt-4o')
    expect(names).toContain('anthropic/claude-sonnet-4-5')
    expect(names.some((name) => name.startsWith('openai_responses/'))).toBe(false)
  })
})

describe('explain', () => {
  test('tells each part, where its rate is from, and the sum', async () => {
    const { code, out } = await prices('explain', 'gpt', '--tokens', '1000:500', '--cached', '200')
    expect(code).toBe(0)
    expect(out.split('\n')).toEqual([
      'gpt → openai/gpt-4o',
      '  prompt               800 ×  $2.5 per million tokens   $0.002',
      '  read from the cache  200 ×  $1.25 per million tokens  $0.00025',
      '  answer               500 ×  $10 per million tokens    $0.005',
      '  together, rounded once: $0.007250000',
      expect.stringMatching(/^ {2}by genai-prices@[\d.]+:openai\/gpt-4o$/),
    ])
  })

  test('by the service, by what a name puts into a pattern, and by what no configuration names', async () => {
    const [flex] = await json('explain', 'paint', '--tokens', '1000', '--images', '2', '--service', 'flex')
    expect(flex).toMatchObject({ service: 'flex', cost: 0.081, version: 'config, flex' })
    const [batch] = await json('explain', 'openai/gpt-4o-mini', '--tokens', '1000', '--service', 'batch')
    expect(batch).toMatchObject({ model_name: 'openai/gpt-4o-mini', cost_nano: 75_000 })
    const [other] = await json('explain', 'anthropic/claude-sonnet-4-5', '--tokens', '300000')
    expect(other).toMatchObject({ model_name: null, cost: 1.8 })
    expect((await prices('explain', 'anthropic/claude-sonnet-4-5', '--tokens', '300000')).out).toContain(
      'above 200,000 tokens of prompt',
    )
  })

  test('of another day', async () => {
    const at = async (day: string) => (await json('explain', 'xai/grok-4-fast', '--tokens', '1000', '--at', day))[0]
    expect((await at('2026-11-21')).at).toBe('2026-11-21T00:00:00.000Z')
    const deep = async (hour: string) =>
      (await json('explain', 'deepseek/deepseek-chat', '--tokens', '1000', '--at', `2025-03-01T${hour}Z`))[0].cost_nano
    expect(await deep('12:00')).toBeGreaterThan(await deep('20:00'))
  })

  test('says what it does not know', async () => {
    const unknown = await prices('explain', 'mine', '--tokens', '1')
    expect([unknown.code, unknown.out]).toEqual([1, 'mine → openai/unheard-of: its price is unknown.'])
    expect((await prices('explain', 'home', '--tokens', '1')).out).toBe('home → ollama/mistral: free.')
    const nobody = await prices('explain', 'nobody/else', '--tokens', '1')
    expect([nobody.code, nobody.out]).toEqual([1, ''])
    expect(nobody.err).toContain('nothing here is called `nobody/else`')
  })

  const WRONG: [string[], string][] = [
    [[], 'what is used? `--tokens 1000:500` is, or for instance `--images 1`.'],
    [['--tokens', '1:2:3'], '`--tokens 1:2:3` is no number of tokens: 1000 is, or 1000:500.'],
    [['--tokens', '-5'], '`--tokens -5` is no number of tokens: 1000 is, or 1000:500.'],
    [['--tokens', '10', '--cached', '20'], 'what is cached, written, audio or images is 20 of a prompt of 10 tokens.'],
    [['--tokens', '10:1', '--reasoning', '2'], 'what is reasoning, audio or images is 2 of an answer of 1 tokens.'],
    [['--images', 'x'], '`--images x` is no whole number.'],
    [['--seconds', '1s'], '`--seconds 1s` is no number of seconds.'],
    [['--tokens', '1', '--at', 'soon'], '`--at soon` is no moment: 2026-12-01 is, or 2026-12-01T20:00Z, in UTC.'],
    [
      ['--tokens', '1', '--service', 'fastest'],
      '`--service fastest` is none: standard, priority, flex, batch, balanced and ultrafast are.',
    ],
  ]
  for (const [words, message] of WRONG)
    test(`refuses ${words.join(' ') || 'nothing'}`, async () => {
      const { code, out, err } = await prices('explain', 'gpt', ...words)
      expect([code, out, err.split('\n')[0]]).toEqual([2, '', `tollgate: ${message}`])
    })
})

describe('update', () => {
  test('tells what differs from what the folder last used, and keeps what is now', async () => {
    const data = await folder()
    const update = () => prices('update', '--data', data)
    expect((await update()).out).toContain('No prices were kept in this folder yet')
    const again = (await update()).out
    expect(again).toContain('No price has changed.')
    expect(again).toContain('Without a price: mine.')
    const kept = JSON.parse(await readFile(join(data, 'prices.json'), 'utf8'))
    expect(kept.prices['openai/* → openai/gpt-4.1-nano'].words.input_cost_per_token).toBe(1e-7)
    kept.library = 'genai-prices@0.0.1'
    kept.prices['gpt → openai/gpt-4o'].words.input_cost_per_token = 5e-6
    delete kept.prices['paint → openai/painter']
    await writeFile(join(data, 'prices.json'), JSON.stringify(kept))
    const { code, out } = await update()
    expect(code).toBe(0)
    expect(out).toMatch(/^library: genai-prices@0\.0\.1 → genai-prices@[\d.]+$/m)
    expect(out).toContain('gpt → openai/gpt-4o: input_cost_per_token $5 per million tokens → $2.5 per million tokens\n')
    expect(out).toContain('paint → openai/painter: new\n')
    expect(out).toContain('2 prices changed.')
    expect((await json('update', '--data', data)).changes).toEqual([])
  })

  test('a folder that is not there, and a file that is none of ours', async () => {
    const { code, err } = await prices('update', '--data', join(home, 'not', 'there'))
    expect([code, err]).toEqual([
      1,
      `tollgate: the prices can't be kept in ${join(home, 'not', 'there')} (ENOENT). Name the gateway's data folder with --data.`,
    ])
    const data = await folder()
    await writeFile(join(data, 'prices.json'), '{"library": 7}')
    expect((await prices('update', '--data', data)).out).toContain('No prices were kept in this folder yet')
  })
})

test('a wrong configuration is told, and no prices', async () => {
  const wrong = join(home, 'wrong.yaml')
  await writeFile(wrong, 'model_list: [{ model_name: x }]')
  const { code, out, err } = await tollgate(['prices', '--config', wrong], {}, { app: async () => app })
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain('Its prices are not known before it is right.')
})
