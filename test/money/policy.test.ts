/** The table that docs/ledger.md publishes, read from there, and each of its cells made to happen. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { atRest, makeKey, type Row, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'
import { promptTokens } from '../support/tokens.ts'

interface Line {
  ended: string
  outcome: string
  reported: string
  silent: string
}

function published(): Line[] {
  const page = readFileSync(join(import.meta.dir, '../../docs/ledger.md'), 'utf8')
  const section = page.slice(page.indexOf('## What is charged')).split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => {
      const [ended = '', outcome = '', reported = '', silent = ''] = line
        .split('|')
        .slice(1)
        .map((cell) => cell.trim())
      return { ended, outcome, reported, silent }
    })
}

const PRICE = { input: 1_000, output: 3_000 }
const TEXT = 'How much is the toll?'
const WORDS = 40
const DATA = makeTemp('policy')

let mock: Mock
let gateway: Gateway

/** Google's tell their usage with every chunk, OpenAI's with the last one, and these with none. */
const target = (alias: string, model: string, base = '') => ({
  model_name: alias,
  litellm_params: {
    ...{ model, api_base: mock.url + base, api_key: 'sk-up' },
    input_cost_per_token: PRICE.input / 1e9,
    output_cost_per_token: PRICE.output / 1e9,
    // Charged for every request that is sold, and for none that is not.
    input_cost_per_request: 0.000001,
  },
})
const REQUEST_FEE = 1_000
const ordered = (alias: string, model: string, order: number) => {
  const { model_name, litellm_params } = target(alias, model, '/v1')
  return { model_name, litellm_params: { ...litellm_params, order } }
}

const start = () =>
  startGateway({
    dataDir: DATA,
    yaml: {
      model_list: [
        target('openai', 'openai/openai', '/v1'),
        target('silent', 'openai/silent!nousage', '/v1'),
        target('gemini', 'gemini/gemini'),
        target('slow', 'openai/slow!slow:20', '/v1'),
        target('gemini-slow', 'gemini/slow-g!slow:20'),
        target('hang', 'openai/hang!hang', '/v1'),
        target('endless', 'openai/endless!long_winded!slow:1', '/v1'),
        target('gemini-endless', 'gemini/endless-g!long_winded!slow:1'),
        target('cut', 'openai/cut!cut:20', '/v1'),
        target('gemini-cut', 'gemini/cut-g!cut:20'),
        target('broken', 'openai/broken!status:500', '/v1'),
        target('again', 'openai/again', '/v1'),
        { ...ordered('two', 'openai/two!hang', 0), hedge: { after: 0.1, most: 1 } },
        ordered('two', 'openai/two', 1),
      ],
      router_settings: { num_retries: 0 },
    },
  })

beforeAll(async () => {
  mock = await startMock({ words: WORDS })
  gateway = await start()
})
afterAll(async () => {
  await gateway.stop()
  mock.stop()
  removeTemp(DATA)
})

/** The rows that something leaves. */
async function rows(act: (key: string) => Promise<unknown>, fields: Record<string, unknown> = { max_budget: 10 }) {
  const key = await makeKey(gateway, fields)
  await act(key)
  await atRest(gateway)
  return await rowsOf(gateway, key)
}

async function leave(model: string, key: string, stream: boolean, when: () => boolean): Promise<void> {
  const controller = new AbortController()
  const asked = ask(gateway, { model, key, stream, text: TEXT, signal: controller.signal }).catch(() => undefined)
  await mock.until(when)
  controller.abort()
  await asked
}
/** His key is blocked in the middle of his answer. */
async function revoke(model: string, key: string, when: () => boolean): Promise<void> {
  const asked = ask(gateway, { model, key, stream: true, text: TEXT }).catch(() => undefined)
  await mock.until(when)
  expect((await gateway.call('POST', '/key/block', { key })).status).toBe(200)
  await asked
}
/** Of a request that comes after this. */
function sold(model: string): () => boolean {
  const before = mock.of(model).length
  return () => (mock.of(model)[before]?.sold.completion ?? 0) >= 10
}

/** Pays for a request and some tokens of its answer, and not for all of a stubborn upstream's. */
const SHORT_PURSE = { max_budget: (REQUEST_FEE + 40 * PRICE.input + 25 * PRICE.output) / 1e9 }
const spend = (model: string) => (key: string) =>
  ask(gateway, { model, key, stream: true, text: TEXT, more: { max_tokens: 20 } })

type Cells = { reported?: () => Promise<Row[]>; silent?: () => Promise<Row[]> }

const SCENES: Record<string, Cells> = {
  'answered whole': {
    reported: () => rows((key) => ask(gateway, { model: 'openai', key, text: TEXT })),
    silent: () => rows((key) => ask(gateway, { model: 'silent', key, text: TEXT })),
  },
  'stream finished': {
    reported: () => rows((key) => ask(gateway, { model: 'openai', key, text: TEXT, stream: true })),
    silent: () => rows((key) => ask(gateway, { model: 'silent', key, text: TEXT, stream: true })),
  },
  'the caller left in the stream': {
    reported: () => rows((key) => leave('gemini-slow', key, true, sold('slow-g!slow:20'))),
    silent: () => rows((key) => leave('slow', key, true, sold('slow!slow:20'))),
  },
  'the caller left before the answer began': {
    silent: () => rows((key) => leave('hang', key, false, () => mock.of('hang!hang').length > 0)),
  },
  "the caller's leave ended: his key, or whom it belongs to, was blocked or deleted, or expired": {
    reported: () => rows((key) => revoke('gemini-slow', key, sold('slow-g!slow:20'))),
    silent: () => rows((key) => revoke('slow', key, sold('slow!slow:20'))),
  },
  'the money ended in the stream': {
    reported: () => rows(spend('gemini-endless'), SHORT_PURSE),
    silent: () => rows(spend('endless'), SHORT_PURSE),
  },
  'the upstream failed in the stream': {
    reported: () => rows((key) => ask(gateway, { model: 'gemini-cut', key, text: TEXT, stream: true })),
    silent: () => rows((key) => ask(gateway, { model: 'cut', key, text: TEXT, stream: true })),
  },
  'the upstream failed before its first content': {
    silent: () => rows((key) => ask(gateway, { model: 'broken', key, text: TEXT })),
  },
  'another target answered first ([hedging](failover.md#a-second-attempt-where-the-first-one-is-slow))': {
    silent: async () => {
      const mine = await rows((key) => ask(gateway, { model: 'two', key, text: TEXT }))
      expect(mine.map((row) => [row.outcome, row.model])).toEqual([['ok', 'two']])
      return (await rowsOf(gateway, undefined, 'request_tags=hedge')).filter((row) => row.outcome === 'hedged')
    },
  },
  'tried again': {},
  'the gateway was killed': {
    silent: async () => {
      const key = await makeKey(gateway, { max_budget: 10 })
      const asked = ask(gateway, { model: 'hang', key, text: TEXT }).catch(() => undefined)
      const before = mock.of('hang!hang').length
      await mock.until(() => mock.of('hang!hang').length > before || mock.inFlight > 0)
      await gateway.kill9()
      await asked
      gateway = await start()
      return await rowsOf(gateway, key)
    },
  },
  'refused before it was sent (key, limit, budget, bad request)': {
    silent: () =>
      rows(
        async (key) => {
          for (const more of [{ messages: 'none' }, { model: 'nobody' }, {}])
            expect((await ask(gateway, { model: 'openai', key, text: TEXT, more })).status).toBeGreaterThanOrEqual(400)
        },
        { max_budget: 0.000_000_5 },
      ),
  },
}

test('every line of the table has its scene, and no scene is without a line', () => {
  expect(published().map(({ ended }) => ended)).toEqual(Object.keys(SCENES))
})

for (const { ended, outcome, reported, silent } of published()) {
  for (const [column, cell] of [
    ['reported', reported],
    ['silent', silent],
  ] as const) {
    const scene = SCENES[ended]?.[column]
    const source = /\(`(\w+)`\)/.exec(cell)?.[1]
    if (source === undefined && cell !== 'no row') continue
    test(`${ended}, ${column === 'reported' ? 'and usage was reported' : 'and none was'}: ${cell}`, async () => {
      if (!scene) throw new Error('the table says something that no scene shows')
      const found = await scene()
      if (cell === 'no row') {
        expect(found).toEqual([])
        return
      }
      expect(found).toHaveLength(1)
      const [row] = found as [Row]
      expect(row.usage_source).toBe(source as string)
      const wanted = /^`(\w+)`$/.exec(outcome)?.[1]
      if (wanted) expect(row.outcome).toBe(wanted)
      else expect(['server', 'bad_reply', 'unreachable', 'timeout']).toContain(row.outcome)
      if (source === 'none') {
        expect(row).toMatchObject({ spend_nano: 0, prompt_tokens: 0, completion_tokens: 0 })
        return
      }
      const { prompt_tokens: input, completion_tokens: output } = row
      expect(row.spend_nano).toBe(REQUEST_FEE + input * PRICE.input + output * PRICE.output)
      // The mock counts words, tiktoken tokens; a likely prompt is some of its bytes.
      if (source === 'counted') expect(input).toBe(promptTokens(TEXT))
      if (source === 'provider') expect(input).toBe(5)
      expect(input).toBeGreaterThan(0)
      if (cell.startsWith('prompt (') || cell.startsWith('prompt as likely')) expect(output).toBe(0)
      else expect(output).toBeGreaterThan(5)
    })
  }
}

test('tried again: a row for each attempt, each by this table', async () => {
  mock.plan('again', ['status:500', 'cut:0', 'ok'])
  const trying = await startGateway({
    yaml: {
      model_list: [target('again', 'openai/again', '/v1')],
      router_settings: { num_retries: 2, retry_after: 0 },
    },
  })
  try {
    const said = await ask(trying, { model: 'again', text: TEXT, stream: true })
    expect(said).toMatchObject({ status: 200, attempts: 3 })
    await atRest(trying)
    const found = (await rowsOf(trying)).sort((a, b) => a.attempt - b.attempt)
    expect(found.map((row) => [row.attempt, row.usage_source, row.spend_nano > 0])).toEqual([
      [1, 'none', false],
      [2, 'none', false],
      [3, 'provider', true],
    ])
    expect(new Set(found.map((row) => row.request_id)).size).toBe(1)
  } finally {
    await trying.stop()
  }
}, 20_000)
