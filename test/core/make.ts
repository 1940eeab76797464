/** Makers of the core's plain values, for tests: everything has a harmless default. */
import * as fc from 'fast-check'
import type { Breaker } from '../../src/core/breaker.ts'
import type { Key } from '../../src/core/key.ts'
import type { Priced, Rates, Tier } from '../../src/core/price.ts'
import { FREE } from '../../src/core/price.ts'
import { NO_RATES, wholeRates } from '../../src/core/rates.ts'
import type { Policy, Snapshot } from '../../src/core/snapshot.ts'
import { TargetState } from '../../src/core/state.ts'
import type { Target } from '../../src/core/target.ts'
import { type Usage, usage } from '../../src/core/usage.ts'

/** 2026-11-21T12:00:00Z, a Saturday. */
export const NOON = Date.UTC(2026, 10, 21, 12)

export function target(given: Partial<Target> = {}): Target {
  return {
    id: 'm#1',
    alias: 'm',
    provider: 'openai',
    model: 'm',
    local: false,
    price: FREE,
    abilities: {},
    rpm: 0,
    tpm: 0,
    weight: 0,
    order: 0,
    maxParallel: 0,
    tags: [],
    when: undefined,
    canary: 0,
    timeouts: { connect: 1, firstByte: 1, idle: 1, total: 1 },
    retries: undefined,
    defaults: {},
    ...given,
  }
}

export function rates(given: Partial<Rates> = {}): Rates {
  return { ...NO_RATES, ...given }
}

/** Nano-dollars per million tokens of prompt and answer. */
export function priced(input: number, output: number, tiers: readonly Tier[] = []): Priced {
  return { kind: 'priced', rates: wholeRates({ input, output }), tiers, version: 'test' }
}

export function key(given: Partial<Key> = {}): Key {
  return {
    id: 'k1',
    hint: 'abcd',
    models: [],
    tags: [],
    limits: {},
    blocked: false,
    metadata: {},
    createdAt: 0,
    updatedAt: 0,
    ...given,
  }
}

export function policy(given: Partial<Policy> = {}): Policy {
  return {
    strategy: 'simple-shuffle',
    retries: 2,
    maxAttempts: 4,
    retriesOf: undefined,
    aliasRetriesOf: new Map(),
    retryAfterMs: 0,
    maxFallbacks: 5,
    allowedFails: 3,
    allowedOf: undefined,
    cooldownMs: 5_000,
    totalMs: 600_000,
    budgetWaitMs: 60_000,
    unpriced: 'refuse',
    dropParams: false,
    midstream: 'continue',
    watchWhole: 'local',
    leastTokensPerS: 0,
    hedge: undefined,
    aliasHedge: new Map(),
    budgetStatus: 422,
    overflow: { to: 'on_error', afterMs: 10_000 },
    strictLimits: false,
    ...given,
  }
}

/** A snapshot with these targets, each under its own alias; names with a star become wildcards. */
/** @param asking aliases that need a grant */
export function snapshot(
  targets: readonly Target[],
  given: Partial<Snapshot> = {},
  asking: readonly string[] = [],
): Snapshot {
  const names = [...new Set(targets.map((t) => t.alias))]
  const aliases = names.map((name) => ({
    name,
    grant: asking.includes(name) ? name : undefined,
    targets: targets.filter((t) => t.alias === name),
  }))
  return {
    version: 1,
    aliases: new Map(aliases.filter((a) => !a.name.includes('*')).map((a) => [a.name, a])),
    wildcards: aliases.filter((a) => a.name.includes('*')).sort((a, b) => b.name.length - a.name.length),
    otherNames: new Map(),
    hiddenNames: new Set(),
    fallbacks: new Map(),
    contextFallbacks: new Map(),
    contentFallbacks: new Map(),
    mirrors: new Map(),
    limits: { gateway: undefined, ip: undefined, routes: {}, models: new Map(), parts: undefined },
    policy: policy(),
    route: { tags: { enabled: false, matchAny: true }, zone: 'UTC', localTags: [] },
    ...given,
  }
}

/** What is known of a target that did this much in the last minute. */
export function stateWith(
  given: { requests?: number; tokens?: number; inFlight?: number; waitMs?: number; breaker?: Partial<Breaker> } = {},
  now = NOON,
): TargetState {
  const state = new TargetState()
  state.requests.add(now, given.requests ?? 0)
  state.tokens.add(now, given.tokens ?? 0)
  state.inFlight = given.inFlight ?? 0
  state.waitMs = given.waitMs ?? 0
  Object.assign(state.breaker, given.breaker)
  return state
}

/** $0 to $9,000 a million tokens, in nano-dollars; often round, often odd. */
const anyRate = fc.oneof(
  fc.integer({ min: 0, max: 9_000_000_000_000 }),
  fc.integer({ min: 0, max: 2_000 }).map((cents) => cents * 10_000_000),
  fc.integer({ min: 0, max: 3_000_000 }),
)

export const anyRates: fc.Arbitrary<Rates> = fc.record({
  input: anyRate,
  cacheRead: anyRate,
  cacheWrite: anyRate,
  cacheWriteHour: anyRate,
  audioInput: anyRate,
  imageInput: anyRate,
  audioRead: anyRate,
  imageRead: anyRate,
  output: anyRate,
  reasoning: anyRate,
  audioOutput: anyRate,
  imageOutput: anyRate,
  media: anyRate,
  gpu: anyRate,
  character: anyRate,
  image: fc.integer({ min: 0, max: 1_000_000_000 }),
  search: fc.integer({ min: 0, max: 1_000_000_000 }),
  request: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1_000_000_000 })),
})

/** A price with up to three tiers, lowest first. */
export const anyPrice: fc.Arbitrary<Priced> = fc
  .record({
    rates: anyRates,
    tiers: fc.uniqueArray(fc.record({ above: fc.integer({ min: 1, max: 1_000_000 }), rates: anyRates }), {
      maxLength: 3,
      selector: (tier) => tier.above,
    }),
  })
  .map(({ rates: base, tiers }) => ({
    kind: 'priced',
    rates: base,
    tiers: tiers.sort((a, b) => a.above - b.above),
    version: 'test',
  }))

const tokens = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 0, max }), fc.integer({ min: 0, max: 5_000 }))

/** A usage that keeps its invariants, of up to `most` tokens each way, and of everything else. */
export const anyUsage = (most: number): fc.Arbitrary<Usage> =>
  fc
    .record({
      input: tokens(most),
      output: tokens(most),
      parts: fc.array(fc.nat(100), { minLength: 8, maxLength: 8 }),
      answer: fc.array(fc.nat(100), { minLength: 3, maxLength: 3 }),
      beside: fc.option(
        fc.record({
          images: fc.nat(20),
          mediaMs: fc.nat(3_600_000),
          gpuMs: fc.nat(600_000),
          characters: fc.nat(100_000),
          searches: fc.nat(20),
        }),
        { nil: {} },
      ),
    })
    .map(({ input, output, parts, answer, beside }) => {
      const share = (n: number) => Math.floor((input * (parts[n] as number)) / 800)
      const said = (n: number) => Math.floor((output * (answer[n] as number)) / 300)
      return usage({
        input,
        cacheRead: share(0) + share(1) + share(2),
        audioRead: share(1),
        imageRead: share(2),
        cacheWrite: share(3),
        cacheWriteHour: share(4),
        audioInput: share(5),
        imageInput: share(6),
        output,
        reasoning: said(0),
        audioOutput: said(1),
        imageOutput: said(2),
        ...beside,
      })
    })
