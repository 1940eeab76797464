/**
 * Whether targets are well, found out without waiting for a caller's request to fail: a look at each server's list of
 * models, which costs nothing, or where the operator names a model for it (`health_check_model`) a request of ours. On
 * demand, or in the background, spread over time; what is found in the background moves the breakers.
 */
import { onDown, onWell } from '../core/breaker.ts'
import type { Target } from '../core/target.ts'
import { dialects } from '../dialects/index.ts'
import type { Link } from '../upstream/link.ts'
import { canLook, namesAt, type Sight, serverKey, sightOf } from '../upstream/look.ts'
import type { Io } from './io.ts'
import { askOurselves } from './own.ts'

export interface HealthRules {
  background: boolean
  /** Between two checks of a target that is well, ms. */
  everyMs: number
  /** Checks under way at one time. */
  atOnce: number
}

/** What is checked of one target, and how. */
export interface Checkup {
  link: Link
  timeoutMs: number
  /** A request of ours, in place of a look. */
  ask: { model: string; embeds: boolean; maxTokens: number } | undefined
  /** Also when nobody asks for it. */
  background: boolean
}

/** What was found last. */
export interface Found extends Sight {
  /** ms since the epoch. */
  at: number
}

/** Targets that one check is for. */
type Group = readonly Checkup[]

/** Between two first checks, so that a start is no burst, ms. */
const APART_MS = 250
/** Sooner again where it failed once, which may be chance, and while it is down, so that it is soon let back, ms. */
const AGAIN_MS = 2_000
const DOWN_MS = 15_000
/** Where somebody waits for all of them. */
const ASKED_AT_ONCE = 32

export class HealthChecks {
  readonly rules: HealthRules
  readonly found = new Map<string, Found>()
  readonly #io: Io
  readonly #groups: readonly Group[]
  /** Checks in a row that found it down. */
  readonly #fails = new Map<Group, number>()
  readonly #timers = new Map<Group, ReturnType<typeof setTimeout>>()
  readonly #stop = new AbortController()
  readonly #waiting: (() => void)[] = []
  #running = 0
  #all: Promise<void> | undefined

  constructor(io: Io, checkups: readonly Checkup[], rules: HealthRules) {
    this.#io = io
    this.rules = rules
    // Of whom nothing can be asked for nothing, nothing is known.
    this.#groups = groupsOf(checkups.filter(({ link, ask }) => ask !== undefined || canLook(link)))
    if (!rules.background) return
    const here = this.#groups.filter(([first]) => first?.background)
    const apart = Math.min(APART_MS, rules.everyMs / Math.max(1, here.length))
    for (const [i, group] of here.entries()) this.#checkIn(group, i * apart)
  }

  /** Checks all of them now; whoever asks meanwhile waits for the same. */
  all(): Promise<void> {
    this.#all ??= Promise.all(this.#groups.map((group) => this.#check(group, ASKED_AT_ONCE))).then(() => {
      this.#all = undefined
    })
    return this.#all
  }

  stop(): void {
    this.#stop.abort()
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }

  #checkIn(group: Group, ms: number): void {
    const timer = setTimeout(() => void this.#round(group), ms)
    timer.unref()
    this.#timers.set(group, timer)
  }

  async #round(group: Group): Promise<void> {
    const sights = await this.#check(group)
    if (this.#stop.signal.aborted) return
    const isDown = sights.every(({ down }) => down)
    const fails = isDown ? (this.#fails.get(group) ?? 0) + 1 : 0
    this.#fails.set(group, fails)
    const { everyMs } = this.rules
    const next = fails === 0 ? everyMs : Math.min(everyMs, fails === 1 ? AGAIN_MS : DOWN_MS)
    const [timeoutMs] = group.map((one) => one.timeoutMs)
    for (const [i, { link }] of group.entries()) this.#tell(link.target, sights[i], fails, next + (timeoutMs ?? 0))
    // Not all of them at the same moment for ever.
    this.#checkIn(group, next * (0.9 + 0.2 * this.#io.random()))
  }

  /** @param nextMs until the next check has ended */
  #tell(target: Target, sight: Sight | undefined, fails: number, nextMs: number): void {
    const io = this.#io
    // Machines of the house are watched by their own pages, and have no breaker opened by this.
    if (!sight || io.backends.of(target) || io.snapshot().policy.cooldownMs === 0) return
    const { breaker } = io.state(target)
    if (!sight.down) {
      if (onWell(breaker)) io.warn('A target is well again.', { target: target.id })
      return
    }
    // Once may be chance.
    if (fails < 2) return
    if (onDown(breaker, io.now() + 1.5 * nextMs))
      io.warn('A target is down: others are asked until it is found well.', { target: target.id, told: sight.error })
  }

  async #check(group: Group, atOnce = this.rules.atOnce): Promise<Sight[]> {
    await this.#turn(atOnce)
    try {
      const sights = await this.#look(group)
      const at = this.#io.now()
      for (const [i, { link }] of group.entries()) this.found.set(link.target.id, { ...(sights[i] as Sight), at })
      return sights
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  #turn(atOnce: number): Promise<void> | undefined {
    this.#running++
    if (this.#running <= atOnce) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async #look(group: Group): Promise<Sight[]> {
    const [first] = group as [Checkup]
    const { signal } = this.#stop
    if (first.ask) return [await this.#ask(first, first.ask)]
    const seen = await namesAt(first.link, first.timeoutMs, signal)
    return group.map(({ link }) => sightOf(seen, link.target))
  }

  /** A short request to the target, paid by the tag `health_check`. */
  async #ask({ link, timeoutMs }: Checkup, { model, embeds, maxTokens }: NonNullable<Checkup['ask']>): Promise<Sight> {
    const own = link.target
    const target = model === own.model ? own : { ...own, model, ...own.known?.(model) }
    const body = embeds
      ? { model: target.alias, input: 'Hi' }
      : { model: target.alias, messages: [{ role: 'user', content: 'Hi' }], max_tokens: maxTokens }
    const status = await askOurselves(this.#io, {
      name: 'health_check',
      dialect: dialects[embeds ? 'openai-embeddings' : 'openai-chat'],
      bytes: new TextEncoder().encode(JSON.stringify(body)),
      stages: [{ alias: target.alias, grant: undefined, targets: [target] }],
      wishes: { retries: 0, totalMs: timeoutMs, priority: 'batch' },
      snapshot: this.#io.snapshot(),
      signal: this.#stop.signal,
    })
    if (status < 400) return { down: false }
    return { error: `a request to it ends with ${status}`, down: status >= 500 }
  }
}

/** Targets of the same server and key are looked at once; each that is asked is asked for itself. */
function groupsOf(checkups: readonly Checkup[]): Group[] {
  const groups = new Map<string, Checkup[]>()
  for (const one of checkups) {
    const key = one.ask ? `ask ${one.link.target.id}` : `${one.background} ${one.timeoutMs} ${serverKey(one.link)}`
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return [...groups.values()]
}
