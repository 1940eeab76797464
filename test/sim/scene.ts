/** Who asks for what, and with which budgets: made by chance, tight enough that money is short most of the time. */
import { type Budget, type BudgetMode, budgetName } from '../../src/core/budget.ts'
import type { Estimate } from '../../src/core/estimate.ts'
import { parsePeriod } from '../../src/core/period.ts'
import { FREE } from '../../src/core/price.ts'
import { GATEWAY, NOBODY, type Payer } from '../../src/core/scope.ts'
import type { Target } from '../../src/core/target.ts'
import { priced, rates, target } from '../core/make.ts'
import type { Random } from './random.ts'

/** Nano-dollars a token, more or less. */
export const TOKEN = 1_000
const PERIODS = [undefined, '30s', '15m', '1h', '6h', '1d', '1d', '1w', '1mo', '1mo']
const MODELS = [undefined, undefined, undefined, undefined, 'dear', 'dear*', '*']
const MODES: readonly (BudgetMode | undefined)[] = [undefined, undefined, 'cap', 'cap', 'strict', 'soft']

const at = (alias: string, provider: string, price: Target['price']): Target =>
  target({ id: `${alias}@${provider}`, alias, provider, model: alias, price })

const step = priced(900 * 1_000_000, 1_100 * 1_000_000).rates
/** Plain, in steps by the length of the prompt, with a fee and odd rates, and free. */
const TARGETS: readonly Target[] = [
  at('dear', 'east', priced(TOKEN * 1_000_000, TOKEN * 1_000_000)),
  at('dear', 'west', priced(TOKEN * 1_000_000, 2 * TOKEN * 1_000_000)),
  at('dear-steps', 'east', {
    ...priced(500 * 1_000_000, 700 * 1_000_000),
    tiers: [{ above: 25, rates: step }],
  }),
  at('odd', 'west', {
    ...{ kind: 'priced', tiers: [], version: 'test' },
    rates: rates({ input: 333_333, output: 999_999_999, reasoning: 999_999_999, cacheRead: 7, request: 12_345 }),
  }),
  at('local', 'house', FREE),
]

export interface Scene {
  readonly payers: readonly Payer[]
  readonly targets: readonly Target[]
  /** The same array until they change. */
  readonly budgets: Map<string, readonly Budget[]>
  /** All scopes that may have budgets. */
  readonly scopes: readonly string[]
}

/** The scopes of an attempt, reckoned without the ledger's own list of them. */
export function scopesOf(payer: Payer, { alias, provider }: Target): string[] {
  const of = (kind: string, id: string | undefined) => (id === undefined ? [] : [`${kind}:${id}`])
  return [
    ...of('key', payer.key),
    ...of('customer', payer.customer),
    ...of('user', payer.user),
    ...of('project', payer.project),
    ...of('team', payer.team),
    ...of('organization', payer.organization),
    ...payer.tags.map((tag) => `tag:${tag}`),
    GATEWAY,
    `model:${alias}`,
    `provider:${provider}`,
  ]
}

export function makeScene(random: Random): Scene {
  const keys = ['a', 'b', 'c'].map((key) => ({
    ...NOBODY,
    key,
    team: random.pick(['red', 'blue', undefined]),
    organization: random.pick(['org', undefined]),
    user: random.pick(['u', 'v', undefined]),
    project: random.pick(['p', undefined, undefined]),
  }))
  const payers = [NOBODY, ...keys].flatMap((key) => [
    key,
    { ...key, customer: random.pick(['x', 'y', 'z']) },
    { ...key, tags: random.pick([['t'], ['t', 's']]) },
  ])
  const scopes = [...new Set(payers.flatMap((payer) => TARGETS.flatMap((it) => scopesOf(payer, it))))]
  const budgets = new Map<string, readonly Budget[]>()
  for (const scope of scopes) budgets.set(scope, makeBudgets(random, scope))
  return { payers, targets: TARGETS, budgets, scopes }
}

/** Narrow scopes have budgets more often; together they must not be so tight that nothing ever passes. */
export function makeBudgets(random: Random, scope: string): readonly Budget[] {
  const share = scope.startsWith('key:') ? 0.9 : scope === GATEWAY ? 0.5 : 0.35
  if (!random.chance(share)) return []
  const found = new Map<string, Budget>()
  for (let n = random.weighted([[1, 6] as const, [2, 3] as const, [3, 1] as const]); n > 0; n--) {
    const budget = makeBudget(random)
    found.set(budgetName(budget), budget)
  }
  return [...found.values()]
}

function makeBudget(random: Random): Budget {
  const period = random.pick(PERIODS)
  const limit = random.weighted<number>([
    [random.int(0, 200) * TOKEN, 2],
    [random.int(100, 2_000) * TOKEN + random.int(0, 999), 10],
    [random.int(1_000, 20_000) * TOKEN, 6],
    [Number.POSITIVE_INFINITY, 1],
  ])
  const soft = random.chance(0.2) ? random.int(10, 1_000) * TOKEN : undefined
  return {
    limit,
    soft: limit === Number.POSITIVE_INFINITY ? (soft ?? TOKEN) : soft,
    period: period === undefined ? undefined : parsePeriod(period),
    model: random.pick(MODELS),
    mode: random.pick(MODES),
  }
}

/** Near what a request needs, and now and then more or less of it. */
export function makeEstimate(random: Random): Estimate {
  const inputLikely = random.int(1, 30)
  const outputMost = random.weighted([
    [random.int(1, 60), 6],
    [random.int(60, 400), 2],
  ])
  return {
    inputLikely,
    inputMost: inputLikely + random.int(0, 30),
    outputLeast: random.int(1, Math.min(8, outputMost)),
    outputMost,
  }
}
