/**
 * kill -9 at random moments, over and over, on one ledger: whatever reached the upstream is charged, once, and nothing else;
 * a budget holds through all of it. `TOLLGATE_KILLS=100 bun test test/money/kill.test.ts` for as many rounds; without it, as
 * many as fit into a minute and a half. And a ledger of a million rows is ready again in two seconds.
 */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { verifyFile } from '../../src/store/verify-file.ts'
import { median } from '../bench/report.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Said } from '../support/ask.ts'
import { writePast } from '../support/big-ledger.ts'
import { makeKey, nano, type Row, totals } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { seeded } from '../support/seeded.ts'
import { freePort, makeTemp, removeTemp } from '../support/temp.ts'

const WORDS = 12
const PRICE = { input: 1_000, output: 3_000 }
const COST = 2 * PRICE.input + WORDS * PRICE.output
/** A prompt whose end nobody saw is charged as it was likely: by the densest of the last, to the nearest token. */
const MOST_LIKELY = 4
/** Where nobody reports it tiktoken counts the prompt, which is two words to the mock. */
const MOST = COST + 10 * PRICE.input
const ROUNDS = Number(process.env.TOLLGATE_KILLS ?? Number.POSITIVE_INFINITY)
const MOST_MS = process.env.TOLLGATE_KILLS ? Number.POSITIVE_INFINITY : 90_000
const BEHAVIOURS = ['ok', 'slow:15', 'slowfirst:40', 'slowfirst:200', 'hang', 'cut:5', 'status:500', 'slowheaders:30']
const AT_ONCE = 40

const yaml = (mock: Mock) => ({
  model_list: [
    {
      // Each request names a model of its own: that is how it is found again in the ledger.
      model_name: 'any/*',
      litellm_params: {
        ...{ model: 'openai/*', api_base: `${mock.url}/v1`, api_key: 'sk-up' },
        ...{ input_cost_per_token: PRICE.input / 1e9, output_cost_per_token: PRICE.output / 1e9 },
      },
    },
  ],
  litellm_settings: { num_retries: 0 },
  router_settings: { disable_cooldowns: true },
})

interface Sent {
  model: string
  /** Undefined: it was cut off by the kill. */
  said: Said | undefined
}

/** Asks all the time, until the gateway is gone. */
async function traffic(
  gateway: Gateway,
  round: number,
  keys: readonly string[],
  random: () => number,
): Promise<Sent[]> {
  const sent: Sent[] = []
  let number = 0
  const caller = async (): Promise<void> => {
    for (;;) {
      const behaviour = BEHAVIOURS[Math.floor(random() * BEHAVIOURS.length)] as string
      const one: Sent = { model: `r${round}n${number++}!${behaviour}`, said: undefined }
      sent.push(one)
      const key = keys[Math.floor(random() * keys.length)] as string
      const more = { max_tokens: WORDS }
      try {
        one.said = await ask(gateway, { model: `any/${one.model}`, stream: random() < 0.5, key, more })
      } catch {
        return
      }
      if (one.said.status === 0 || one.said.broke) return
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, caller))
  return sent
}

/** What is wrong with the rows of one round. */
function wrongIn(rows: readonly Row[], sent: readonly Sent[], mock: Mock): string[] {
  const wrong: string[] = []
  const of = new Map<string, Row[]>()
  for (const row of rows) of.set(row.model, [...(of.get(row.model) ?? []), row])
  for (const { model, said } of sent) {
    const [row, ...others] = of.get(model) ?? []
    const reached = mock.of(model).length
    if (others.length > 0) wrong.push(`${model} is charged ${others.length + 1} times`)
    if (reached > 0 && !row) wrong.push(`${model} was sent and is not charged`)
    if (said?.whole && !row) wrong.push(`${model} was answered and is not charged`)
    if (said?.status === 422 && row) wrong.push(`${model} was refused and is charged`)
    if (!row) continue
    const cost = nano(row.spend)
    // Settled and not yet written (25 ms) is charged as if nobody had seen its end.
    const isPrompt = cost === row.prompt_tokens * PRICE.input && row.prompt_tokens <= MOST_LIKELY
    const isRight = row.outcome === 'ok' ? cost === COST : row.outcome === 'interrupted' ? isPrompt : cost <= MOST
    if (!isRight) wrong.push(`${model}: ${row.outcome} for ${cost}`)
  }
  const known = new Set(sent.map(({ model }) => model))
  for (const model of of.keys()) if (!known.has(model)) wrong.push(`${model} was never asked for`)
  return wrong
}

/** The rows that are newer than a request, newest first. */
async function rowsSince(gateway: Gateway, request: string): Promise<Row[]> {
  const found: Row[] = []
  const numberOf = (id: string): number => (id === '' ? 0 : Number.parseInt(id.slice('req_'.length), 36))
  for (let before = ''; ; ) {
    const reply = await gateway.call('GET', `/spend/logs?limit=500${before === '' ? '' : `&before=${before}`}`)
    const rows = (await reply.json()) as Row[]
    const fresh = rows.filter((row) => numberOf(row.request_id) > numberOf(request))
    found.push(...fresh)
    before = reply.headers.get('x-tollgate-next') ?? ''
    if (before === '' || fresh.length < rows.length) return found
  }
}

/** Where the machine has other work even a start on nothing takes more than two seconds: then it may take so many times that. */
const SLOWER = 1.3

/** ms that a start on an empty folder takes here and now: the middle of three. */
async function emptyStart(config: Record<string, unknown>): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < 3; i++) {
    const began = performance.now()
    const gateway = await startGateway({ yaml: config })
    took.push(performance.now() - began)
    await gateway.stop()
  }
  return median(took)
}

test('kill -9, over and over', async () => {
  const seed = Math.floor(Math.random() * 1e9)
  const random = seeded(seed)
  const mock = await startMock({ words: WORDS })
  const dataDir = makeTemp('kill')
  const port = freePort()
  const start = (): Promise<Gateway> => startGateway({ yaml: yaml(mock), dataDir, port })
  let gateway = await start()
  const limit = 400 * COST + 77
  let last = ''
  let round = 0
  let interrupted = 0
  let newest = ''
  let charges = 0
  let spent = 0
  const starts: number[] = []
  const began = performance.now()
  try {
    const keys = [await makeKey(gateway, { max_budget: limit / 1e9 }), await makeKey(gateway), await makeKey(gateway)]
    while (round < ROUNDS && performance.now() - began < MOST_MS) {
      round++
      // How long a prompt is, is guessed from the last ones: a new process has seen none yet.
      const firsts: Sent[] = []
      for (let i = 0; i < 3; i++) {
        const model = `r${round}first${i}`
        const said = await ask(gateway, { model: `any/${model}`, key: keys[1] as string, more: { max_tokens: WORDS } })
        firsts.push({ model, said })
      }
      // They are written down, which takes 25 ms, before the storm begins.
      await rowsSince(gateway, newest)
      const asked = traffic(gateway, round, keys, random)
      await Bun.sleep(30 + random() * 500)
      await gateway.kill9()
      const sent = await asked
      const killed = performance.now()
      gateway = await start()
      starts.push(performance.now() - killed)

      const fresh = await rowsSince(gateway, newest)
      newest = fresh[0]?.request_id ?? newest
      charges += fresh.length
      spent += fresh.reduce((sum, row) => sum + nano(row.spend), 0)
      interrupted += fresh.filter((row) => row.outcome === 'interrupted').length
      last = `seed ${seed}, round ${round}`
      expect([last, ...wrongIn(fresh, [...sent, ...firsts], mock)]).toEqual([last])
      const now = await totals(gateway)
      expect([last, now.open_holds, now.held]).toEqual([last, 0, 0])
      expect([now.total_requests, nano(now.total_spend)]).toEqual([charges, spent])
      const info = (await (await gateway.call('GET', `/key/info?key=${keys[0]}`)).json()) as { info: { spend: number } }
      expect(nano(info.info.spend)).toBeLessThanOrEqual(limit)
      mock.reset()
    }
    console.log(
      `${last}: ${charges} charges, ${interrupted} of attempts whose end nobody saw; ready again after ${Math.round(median(starts))} ms, ${Math.round(Math.max(...starts))} at most`,
    )
    expect(round).toBeGreaterThan(5)
    expect(interrupted).toBeGreaterThan(round)
    expect(median(starts)).toBeLessThan(Math.max(2_000, SLOWER * (await emptyStart(yaml(mock)))))
    await gateway.stop()
    expect(verifyFile(join(dataDir, 'tollgate.sqlite')).differences).toEqual([])
  } finally {
    await gateway.kill9()
    await gateway.stop()
    await mock.stop()
    removeTemp(dataDir)
  }
}, 900_000)

test('a ledger of a million rows is ready two seconds after a kill', async () => {
  const mock = await startMock({ words: WORDS })
  const dataDir = makeTemp('million')
  const keys = Array.from({ length: 100 }, (_, i) => `key-${i}`)
  writePast(dataDir, {
    ...{ rows: 1_000_000, days: 30, until: Date.now() },
    keys,
    teams: ['red'],
    customers: 0,
    models: 10,
  })
  const config = { ...yaml(mock), litellm_settings: { max_budget: 1e6, budget_duration: '1mo' } }
  const start = () => startGateway({ yaml: config, dataDir })
  let gateway = await start()
  try {
    const key = await makeKey(gateway, { max_budget: 10, budget_duration: '1h' })
    const answered: number[] = []
    // The machine has other work now and then: the best of three.
    for (let round = 0; round < 3; round++) {
      const model = `held${round}!hang`
      const cut = Array.from({ length: 50 }, () => ask(gateway, { model: `any/${model}`, key }).catch(() => undefined))
      await mock.until(() => mock.of(model).length === 50, 10_000)
      await gateway.kill9()
      await Promise.all(cut)
      const began = performance.now()
      gateway = await start()
      expect(await ask(gateway, { model: 'any/after', key })).toMatchObject({ status: 200, whole: true })
      answered.push(performance.now() - began)
      const charges = 1_000_000 + (round + 1) * 51
      expect(await totals(gateway)).toMatchObject({ open_holds: 0, held: 0, total_requests: charges })
    }
    console.log(`the first answer after ${answered.map(Math.round).join(', ')} ms`)
    expect(Math.min(...answered)).toBeLessThan(Math.max(2_000, SLOWER * (await emptyStart(config))))
  } finally {
    await gateway.stop()
    await mock.stop()
    removeTemp(dataDir)
  }
}, 120_000)
