/** Targets that cannot be reached, all of them failing, and what happens when they come back. */
import { expect } from 'bun:test'
import { wordsFor } from '../mock/answer.ts'
import { startBlackhole } from '../mock/blackhole.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, inParallel, type Said, type Tongue } from '../support/ask.ts'
import { atRest, makeKey, rowsOf, sum } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { freePort } from '../support/temp.ts'
import { each, FORMS, type Scene, TONGUES } from './scene.ts'
import { deployment, FULL, TIMES, UPSTREAM_KEY, WORDS } from './world.ts'

/** The faults of both targets of an alias. */
const BOTH = { '503': 'status:503', '401': 'echo:401', '403': 'echo:403', '429': '429:30', hang: 'hang' } as const
/** Nobody is there; there is no such name; nobody picks up. */
const NOWHERE = ['refused', 'unnamed', 'blackhole'] as const

const MODEL = { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 }

export function outages(): Scene {
  let mock: Mock
  let gateway: Gateway
  let blackhole: Awaited<ReturnType<typeof startBlackhole>>
  /** Mocks that go down and come back, by name. */
  const houses = new Map<string, Mock>()
  const house = (name: string): Mock => houses.get(name)!
  const served = (said: Said): void => expect(said).toMatchObject({ status: 200, whole: true, text: FULL })
  /** Asks in the dialect of the primary. */
  const one = (tongue: Tongue, stream: boolean, model: string) => ask(gateway, { tongue, stream, model })

  /** All targets fail alike: an honest status, soon, at most 4 attempts, and nothing of theirs. */
  const allFail = (fault: keyof typeof BOTH, statuses: readonly number[], within: number) => {
    return async (tongue: Tongue, stream: boolean) => {
      const model = `all-${tongue}-${stream}-${fault}`
      const said = await one(tongue, stream, model)
      expect(statuses).toContain(said.status)
      expect(said.ms).toBeLessThan(within)
      expect(said.error).toBeTruthy()
      expect(said.body).not.toContain(UPSTREAM_KEY)
      expect(said.body).not.toMatch(/127\.0\.0\.1|Incorrect API key|not allowed to use|at .*\.ts:\d/)
      if (fault === '429') expect(Number(said.headers.get('retry-after'))).toBeWithin(1, 31)
      expect(mock.requests.filter((r) => r.model?.startsWith(`${model}-`)).length).toBeWithin(1, 5)
    }
  }

  const unreachable = (where: (typeof NOWHERE)[number]) => async (tongue: Tongue, stream: boolean) => {
    const said = await one(tongue, stream, `${where}-${tongue}-${stream}`)
    served(said)
    expect(said.by).toBe('openai/m')
    // 0.5 s to connect, and the time that a busy machine takes.
    expect(said.ms).toBeLessThan(3_000)
  }

  const comesBack = async (tongue: Tongue, stream: boolean) => {
    const name = `shaky-${tongue}-${stream}`
    const primary = house(name)
    const who = async (): Promise<string> => {
      const before = primary.requests.length
      served(await one(tongue, stream, name))
      return primary.requests.length > before ? 'primary' : 'backup'
    }
    expect(await who()).toBe('primary')
    primary.down()
    for (let i = 0; i < 5; i++) expect(await who()).toBe('backup')
    primary.up()
    const began = performance.now()
    while ((await who()) === 'backup') {
      // cooldown_time is 1 s, and doubles.
      expect(performance.now() - began).toBeLessThan(8_000)
      await Bun.sleep(100)
    }
    for (let i = 0; i < 3; i++) expect(await who()).toBe('primary')
  }

  const lastResort = async (tongue: Tongue, stream: boolean) => {
    const name = `down-${tongue}-${stream}`
    const [first, second] = [house(name), house(`${name}-backup`)]
    first.down()
    second.down()
    for (let i = 0; i < 4; i++) {
      const said = await one(tongue, stream, name)
      expect(said.status).toBe(502)
      expect(said.error).toBeTruthy()
      expect(said.ms).toBeLessThan(4_000)
    }
    second.up()
    served(await one(tongue, stream, name))
    first.up()
    served(await one(tongue, stream, name))
  }

  /** Each is told his own words, and each answer is charged once. */
  const flapping = async (tongue: Tongue) => {
    const model = `flapping-${tongue}`
    const turns = Array.from({ length: 200 }, (_, i) => ['ok', 'status:503', 'reset', 'cut:0', 'ok'][i % 5] as string)
    mock.plan(`${model}-primary`, turns)
    const key = await makeKey(gateway)
    await inParallel([...Array(50).keys()], 50, async (i) => {
      const said = await ask(gateway, { tongue, key, model, stream: i % 2 === 0, text: `caller${i} speaks` })
      expect(said).toMatchObject({ status: 200, whole: true, text: wordsFor(`caller${i}`, WORDS).join('') })
    })
    await atRest(gateway)
    const good = (await rowsOf(gateway, key)).filter((row) => row.status === 'success')
    expect(good.length).toBe(50)
    expect(new Set(good.map((row) => row.request_id)).size).toBe(50)
  }

  const accounted = async (tongue: Tongue, stream: boolean) => {
    const key = await makeKey(gateway)
    const model = `accounts-${tongue}-${stream}`
    const more = stream && tongue === 'openai' ? { stream_options: { include_usage: true } } : {}
    const said = await ask(gateway, { tongue, key, stream, model, more })
    served(said)
    const named = new Set([...said.body.matchAll(/"model":"([^"]+)"/g)].map((m) => m[1]))
    expect([...named]).toEqual([`${model}-backup`])
    expect(said.usage).toEqual({ prompt: 2, completion: WORDS })
    await atRest(gateway)
    const rows = (await rowsOf(gateway, key)).sort((a, b) => a.attempt - b.attempt)
    // Once more at the primary, then the backup: one operation, of which only the answer costs anything.
    expect(rows.map((r) => [r.model, r.status, r.completion_tokens])).toEqual([
      [`${model}-primary`, 'failure', 0],
      [`${model}-primary`, 'failure', 0],
      [`${model}-backup`, 'success', WORDS],
    ])
    expect(new Set(rows.map((r) => r.request_id)).size).toBe(1)
    expect(sum(rows.map((r) => r.spend_nano))).toBe(2 * 1_000 + WORDS * 2_000)
  }

  /** Five targets that fail and are not alone: four requests in all. */
  const budget = async (tongue: Tongue, stream: boolean) => {
    const model = `many-${tongue}-${stream}`
    const said = await one(tongue, stream, model)
    expect([502, 503]).toContain(said.status)
    expect(mock.requests.filter((r) => r.model?.startsWith(`${model}-`)).length).toBeWithin(2, 5)
  }

  return {
    width: 16,
    cases: [
      ...each(['All targets 503', 'all targets down'], allFail('503', [502, 503], 10_000)),
      ...each(['Every target answers 401 and echoes its key', '401 upstream'], allFail('401', [502], 5_000)),
      ...each(['Every target answers 403 and echoes its key', '403 upstream'], allFail('403', [502], 5_000)),
      ...each(['429 with seconds', 'all targets down'], allFail('429', [429], 5_000)),
      ...each(['All targets silent', 'all targets down'], allFail('hang', [504], 6_000)),
      ...each(['Retry budget'], budget),
      ...each(['Connection refused', 'refused connection'], unreachable('refused')),
      ...each(['Name of the primary does not resolve', 'DNS failure'], unreachable('unnamed')),
      ...each(['Connect hangs (SYNs dropped)'], unreachable('blackhole')),
      ...each(['Primary down, then healthy; a request every few seconds', 'primary healed'], comesBack),
      ...each(['Everything was down, then one backup returns', 'all targets down'], lastResort),
      ...TONGUES.map((tongue) => ({
        rows: ['50 clients at once while the primary flaps', '50 callers while the primary flaps'] as const,
        name: tongue,
        tongues: [tongue],
        forms: FORMS,
        run: () => flapping(tongue),
      })),
      ...each(['Fail-over accounting'], accounted),
    ],
    async start() {
      blackhole = await startBlackhole()
      mock = await startMock({ words: WORDS })
      const nowhere = [`http://127.0.0.1:${freePort()}`, 'http://no-such-host.invalid', blackhole.url]
      const model_list: Record<string, unknown>[] = []
      for (const tongue of TONGUES) {
        const at = (alias: string, url: string, model: string, order: number) =>
          model_list.push(deployment(alias, tongue, url, model, { order, ...MODEL }))
        at(`flapping-${tongue}`, mock.url, `flapping-${tongue}-primary`, 0)
        at(`flapping-${tongue}`, mock.url, 'm', 1)
        for (const stream of [true, false]) {
          const way = `${tongue}-${stream}`
          for (const [name, fault] of Object.entries(BOTH)) {
            at(`all-${way}-${name}`, mock.url, `all-${way}-${name}-a!${fault}`, 0)
            model_list.push(deployment(`all-${way}-${name}`, 'openai', mock.url, `all-${way}-${name}-b!${fault}`))
          }
          for (let i = 0; i < 5; i++) at(`many-${way}`, mock.url, `many-${way}-${i}!status:500`, i)
          for (const [i, where] of NOWHERE.entries()) {
            at(`${where}-${way}`, nowhere[i]!, 'm', 0)
            model_list.push(deployment(`${where}-${way}`, 'openai', mock.url, 'm', { order: 1 }))
          }
          for (const name of [`shaky-${way}`, `down-${way}`, `down-${way}-backup`])
            houses.set(name, await startMock({ words: WORDS }))
          at(`shaky-${way}`, house(`shaky-${way}`).url, 'm', 0)
          at(`shaky-${way}`, mock.url, 'm', 1)
          at(`down-${way}`, house(`down-${way}`).url, 'm', 0)
          at(`down-${way}`, house(`down-${way}-backup`).url, 'm', 1)
          at(`accounts-${way}`, mock.url, `accounts-${way}-primary`, 0)
          at(`accounts-${way}`, mock.url, `accounts-${way}-backup`, 1)
          mock.plan(`accounts-${way}-primary`, ['status:503'])
        }
      }
      const slots = Object.fromEntries([mock, ...houses.values()].map(({ url }) => [url, { slots: 1_000 }]))
      gateway = await startGateway({
        yaml: {
          model_list,
          router_settings: { num_retries: 2, cooldown_time: 1 },
          tollgate: { timeouts: { ...TIMES, total: 4 }, backends: slots },
        },
      })
    },
    async stop() {
      await atRest(gateway)
      expect(gateway.logs()).not.toContain(UPSTREAM_KEY)
      await gateway.stop()
      await blackhole.stop()
      for (const each of [mock, ...houses.values()]) each.stop()
    },
  }
}
