/**
 * 200 callers at once, then 1,000, streams and wholes, some of whom leave, at an upstream that fails: each pays from a key,
 * a team, the gateway and often a customer, and there is not enough for all of them in any. No scope spends a nano-dollar
 * too much, nobody is refused who could have been paid for, and nothing is held afterwards.
 */
import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startMock } from '../mock/upstream.ts'
import { atRest, type Row, rowsOf } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { seeded } from '../support/seeded.ts'
import { bury, makeTemp, removeTemp } from '../support/temp.ts'
import type { Asked, Came } from './storm-child.ts'

/** Nano-dollars a token. */
const PRICE = { input: 1_000, output: 3_000 }
const WORDS = 20
/** What a whole answer costs: two words of prompt, twenty of answer. */
const COST = 2 * PRICE.input + WORDS * PRICE.output
/** A prompt is as long as the densest of the last was for its bytes, to the nearest token. */
const MOST_NEEDED = COST + 2 * PRICE.input

const TEAMS = ['red', 'blue']
const CUSTOMERS = ['ann', 'bob', 'cleo']

interface Scope {
  name: string
  limit: number
  /** Whether a charge is one of its own. */
  owns: (row: Row) => boolean
  info: string
}

type Told = Row & { spend_nano: number; team_id: string | null; end_user: string | null }

const WRONG = [
  ...['status:500', 'reset', 'reset:6', 'cut:9', 'fin:3', 'inband:5', 'nousage', 'slow:3', 'status:429', 'garbage:4'],
]

/** What the upstream does, one after the other: two of three times what it should, and never at once. */
function faults(random: () => number, count: number): string[] {
  const pick = () => (random() < 0.66 ? 'ok' : (WRONG[Math.floor(random() * WRONG.length)] as string))
  return Array.from({ length: count }, () => `slowfirst:${Math.floor(random() * 80)}!${pick()}`)
}

async function start(url: string, purse: number): Promise<Gateway> {
  const target = (alias: string, model: string, api_base: string) => ({
    model_name: alias,
    litellm_params: {
      ...{ model, api_base, api_key: 'sk-up', timeout: 5 },
      ...{ input_cost_per_token: PRICE.input / 1e9, output_cost_per_token: PRICE.output / 1e9 },
    },
  })
  return await startGateway({
    yaml: {
      model_list: [
        target('mixed', 'openai/mixed', `${url}/v1`),
        target('mixed', 'ollama/mixed', url),
        target('steady', 'openai/steady', `${url}/v1`),
      ],
      litellm_settings: { num_retries: 1, max_budget: purse / 1e9 },
      // So that money is what is short.
      router_settings: { disable_cooldowns: true },
    },
  })
}

/** Makes the scopes. Each limit is a share of what its requests would cost. */
async function scopesOf(
  gateway: Gateway,
  callers: number,
  purse: number,
): Promise<{ keys: string[]; scopes: Scope[] }> {
  const make = async (path: string, body: Record<string, unknown>): Promise<Record<string, string>> => {
    const reply = await gateway.call('POST', path, body)
    if (reply.status !== 200) throw new Error(`${path}: ${await reply.text()}`)
    return (await reply.json()) as Record<string, string>
  }
  const share = (part: number, of: number): number => Math.floor(callers * COST * of * part) + 17
  const scopes: Scope[] = [{ name: 'gateway', limit: purse, owns: () => true, info: '' }]
  for (const [i, team_id] of TEAMS.entries()) {
    const limit = share(1 / TEAMS.length, [0.45, 2][i] as number)
    await make('/team/new', { team_id, max_budget: limit / 1e9, budget_duration: '1mo' })
    scopes.push({
      name: `team:${team_id}`,
      limit,
      owns: (row) => (row as Told).team_id === team_id,
      info: `/team/info?team_id=${team_id}`,
    })
  }
  for (const [i, user_id] of CUSTOMERS.entries()) {
    const limit = share(0.5 / CUSTOMERS.length, [0.3, 3, 3][i] as number)
    await make('/customer/new', { user_id, max_budget: limit / 1e9, budget_duration: '1h' })
    scopes.push({
      name: `customer:${user_id}`,
      limit,
      owns: (row) => (row as Told).end_user === user_id,
      info: `/customer/info?end_user_id=${user_id}`,
    })
  }
  const keys: string[] = []
  for (let i = 0; i < 6; i++) {
    const limit = share(1 / 6, [0.25, 0.6, 3, 3, 3, 3][i] as number)
    const { key, token } = await make('/key/generate', { team_id: TEAMS[i % 2], max_budget: limit / 1e9 })
    keys.push(key as string)
    scopes.push({
      name: `key:${token}`,
      limit,
      owns: (row) => row.api_key === token,
      info: `/key/info?key=${key}`,
    })
  }
  return { keys, scopes }
}

function questionsOf(random: () => number, keys: readonly string[], callers: number): Asked[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  return Array.from({ length: callers }, () => {
    const customer = random() < 0.5 ? { 'x-litellm-customer-id': pick(CUSTOMERS) } : {}
    return {
      ...{ tongue: pick(['openai', 'openai', 'ollama'] as const), model: random() < 0.8 ? 'mixed' : 'steady' },
      ...{ stream: random() < 0.5, key: pick(keys), headers: customer },
      // Who does not say how long his answer may be waits until he has what is left for himself.
      more: random() < 0.8 ? { max_tokens: WORDS } : pick([{}, { max_tokens: 4_000 }]),
      ...(random() < 0.12 ? { leavesAfter: Math.floor(random() * 400) } : {}),
    }
  })
}

async function ask(gateway: Gateway, questions: readonly Asked[]): Promise<Came[]> {
  const dir = makeTemp('storm')
  const file = join(dir, 'questions.json')
  writeFileSync(file, JSON.stringify(questions))
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, 'storm-child.ts'), gateway.url, gateway.masterKey, file],
    {
      env: { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '4000' },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'inherit',
    },
  )
  bury(child)
  const came = (await new Response(child.stdout).json()) as Came[]
  removeTemp(dir)
  return came
}

/** A refusal that was none of its own business: not because of what is spent, or for more than a request needs. */
function isFalse({ error }: Came, left: ReadonlyMap<string, number>): boolean {
  const { scope, needed, max_budget, spent } = (error ?? {}) as Record<string, number | string | null | undefined>
  if (typeof needed !== 'number' || typeof max_budget !== 'number' || typeof spent !== 'number') return true
  const nano = Math.round(needed * 1e9)
  const rest = left.get(String(scope))
  return Math.round((max_budget - spent) * 1e9) >= nano || rest === undefined || rest >= nano || nano > MOST_NEEDED
}

for (const callers of [200, 1_000])
  test(`${callers} at once, four scopes each`, async () => {
    const seed = Math.floor(Math.random() * 1e9)
    const random = seeded(seed)
    const mock = await startMock({ words: WORDS })
    const purse = Math.floor(callers * COST * 0.5)
    const gateway = await start(mock.url, purse)
    try {
      const { keys, scopes } = await scopesOf(gateway, callers, purse)
      // How long a prompt is, is guessed from the last ones: a first guess is a high one.
      const steady = [{ model: 'steady' }, { model: 'mixed' }, { model: 'mixed' }, { model: 'mixed' }]
      for (const question of steady) await ask(gateway, [question])
      mock.plan('mixed', [...faults(random, 2 * callers), 'ok'])

      const came = await ask(gateway, questionsOf(random, keys, callers))
      const now = await atRest(gateway)
      const rows = (await rowsOf(gateway)) as Told[]

      let overspend = 0
      const left = new Map<string, number>()
      for (const { name, limit, owns, info } of scopes) {
        const spent = rows.filter(owns).reduce((sum, row) => sum + row.spend_nano, 0)
        overspend += Math.max(0, spent - limit)
        left.set(name, limit - spent)
        if (info === '') continue
        // What a scope says of itself is what its charges add up to.
        const told = JSON.stringify(await (await gateway.call('GET', info)).json())
        expect([name, Math.round(Number(/"spend":([\d.e-]+)/.exec(told)?.[1]) * 1e9)]).toEqual([name, spent])
        expect([name, /"held":([\d.e-]+)/.exec(told)?.[1] ?? '0']).toEqual([name, '0'])
      }
      const refused = came.filter((it) => it.error?.code === 'budget_exceeded')
      const falseRefusals = refused.filter((it) => isFalse(it, left)).length
      const served = came.filter((it) => it.whole).length
      console.log(
        `seed ${seed}: ${callers} callers, ${served} served, ${refused.length} refused, ${rows.length} charges: ` +
          `overspend ${overspend} nano-dollars, false refusals ${falseRefusals}, held at rest ${now.held}`,
      )
      if (falseRefusals > 0)
        console.log(
          refused
            .filter((it) => isFalse(it, left))
            .slice(0, 5)
            .map((it) => JSON.stringify(it)),
          [...left],
        )
      expect({ overspend, falseRefusals, held: now.held }).toEqual({ overspend: 0, falseRefusals: 0, held: 0 })

      // It was a storm: money was short in more than one scope, and faults and leaving were met.
      expect(new Set(refused.map((it) => String(it.error?.scope).split(':')[0])).size).toBeGreaterThan(1)
      expect(served).toBeGreaterThan(callers / 5)
      expect(new Set(rows.map((row) => row.outcome)).size).toBeGreaterThan(4)
      expect(mock.peak).toBeGreaterThan(8)

      // One row for each attempt that reached the upstream, none twice; a caller may leave before it does.
      const seen = mock.of('mixed').length + mock.of('steady').length
      expect(new Set(rows.map((row) => `${row.request_id} ${row.attempt}`)).size).toBe(rows.length)
      expect(rows.length).toBeWithin(seen, seen + came.filter((it) => it.status === 0).length + 1)
      expect(rows.reduce((sum, row) => sum + row.spend_nano, 0)).toBe(Math.round(now.spend * 1e9))
    } finally {
      await gateway.stop()
      await mock.stop()
    }
  }, 120_000)
