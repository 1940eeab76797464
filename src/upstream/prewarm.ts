/** Loads models before they are needed, at times of day: an empty request, as Ollama's own clients make it. */
import type { Json } from '../dialects/canonical.ts'
import type { Link } from './link.ts'

export interface PrewarmPlan {
  alias: string
  /** Of the day. */
  minute: number
  /** 0 is Sunday; empty: every day. */
  days: readonly number[]
  keepAlive: string | number | undefined
}

/** Loading a large model from a disk takes its time, ms. */
const TIMEOUT_MS = 600_000
const MINUTE = 60_000
const DAY = 1_440

export interface PrewarmHooks {
  now(): number
  /** What the clock on the wall shows, ms as if it were UTC. */
  wall(now: number): number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** Looks at the plans once a minute. */
export function startPrewarming(
  plans: readonly PrewarmPlan[],
  links: readonly Link[],
  hooks: PrewarmHooks,
): { stop(): void } {
  const stop = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let done = Math.floor(hooks.now() / MINUTE) - 1
  const look = () => {
    const minute = Math.floor(hooks.now() / MINUTE)
    // One that was slept through is caught up with, a whole night is not.
    for (let at = Math.max(done + 1, minute - 5); at <= minute; at++)
      for (const plan of due(plans, hooks.wall(at * MINUTE)))
        for (const link of links)
          if (link.target.alias === plan.alias && link.speaksDialect('ollama-generate'))
            void load(link, plan.keepAlive, stop.signal, hooks)
    done = minute
    timer = setTimeout(look, MINUTE - (hooks.now() % MINUTE))
    timer.unref()
  }
  if (plans.length > 0) look()
  return {
    stop: () => {
      stop.abort()
      clearTimeout(timer)
    },
  }
}

/** The plans of this minute. @param wall what the clock on the wall shows, ms as if it were UTC */
export function due(plans: readonly PrewarmPlan[], wall: number): PrewarmPlan[] {
  const minute = Math.floor(wall / MINUTE) % DAY
  const day = new Date(wall).getUTCDay()
  return plans.filter((plan) => plan.minute === minute && (plan.days.length === 0 || plan.days.includes(day)))
}

async function load(
  link: Link,
  keepAlive: string | number | undefined,
  stop: AbortSignal,
  hooks: PrewarmHooks,
): Promise<void> {
  const { model } = link.target
  const asked = { model, stream: false, ...(keepAlive === undefined ? {} : { keep_alive: keepAlive }) }
  const facts = { model: `${link.target.provider}/${model}`, backend: link.origin }
  const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)])
  try {
    let status = await post(link, 'ollama-generate', asked, signal)
    // A model that only embeds is loaded by embedding nothing.
    if (status === 400) status = await post(link, 'ollama-embed', { ...asked, input: '' }, signal)
    if (status === 200) hooks.info('A model was loaded ahead of time.', facts)
    else hooks.warn('A model could not be loaded ahead of time.', { ...facts, status })
  } catch (cause) {
    if (!stop.aborted) hooks.warn('A model could not be loaded ahead of time.', { ...facts, told: String(cause) })
  }
}

/** With what is pinned at this target, so that the first request does not load it anew. */
async function post(
  link: Link,
  dialect: 'ollama-generate' | 'ollama-embed',
  asked: Json,
  signal: AbortSignal,
): Promise<number> {
  const url = link.url(dialect, false)
  const body = JSON.stringify(link.amend(dialect, asked, () => {}))
  const headers = await link.authorized({ method: 'POST', url, body })
  const response = await link.fetch(url, { method: 'POST', headers, body, signal })
  await response.body?.cancel()
  return response.status
}
