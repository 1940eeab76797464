/** Tells channels: what begins within a moment is one message, what can't be delivered is tried again, and nobody waits for it. */
import { type Alert, isSilenced, type Silence } from '../core/alert/lifecycle.ts'
import type { Rule, Severity } from '../core/alert/rule.ts'
import { SEVERITIES } from '../core/alert/rule.ts'
import { type Channel, PermanentError } from './channel.ts'
import type { Message } from './message.ts'

/** ms between tries, and for one of them. */
const TRIES_MS = [1_000, 5_000, 30_000, 120_000, 600_000]
const TRY_MS = 10_000
/** Messages that wait for one channel. */
const MOST_WAITING = 100

export interface Route {
  channel: Channel
  /** The least grave that is told there. */
  from: Severity
}

export interface TellerHooks {
  now(): number
  url(): string | undefined
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  /** A message has gone out, or nobody is to be told of it. */
  told(alerts: readonly Alert[], now: number): void
}

interface Waiting {
  state: Message['state']
  rule: Rule
  alerts: Alert[]
}

export class Teller {
  readonly #routes: readonly Route[]
  readonly #groupMs: number
  readonly #hooks: TellerHooks
  readonly #waiting = new Map<string, Waiting>()
  readonly #sending = new Map<Channel, number>()
  readonly #timers = new Set<ReturnType<typeof setTimeout>>()
  readonly #stop = new AbortController()
  silences: readonly Silence[] = []

  /** @param groupMs what begins within this time is told together */
  constructor(routes: readonly Route[], groupMs: number, hooks: TellerHooks) {
    this.#routes = routes
    this.#groupMs = groupMs
    this.#hooks = hooks
  }

  get channels(): readonly Channel[] {
    return this.#routes.map(({ channel }) => channel)
  }

  tell(state: Message['state'], rule: Rule, alert: Alert): void {
    if (isSilenced(alert, this.silences, this.#hooks.now())) return
    const name = `${state} ${rule.name}`
    const group = this.#waiting.get(name)
    if (group) {
      group.alerts.push(alert)
      return
    }
    this.#waiting.set(name, { state, rule, alerts: [alert] })
    this.#later(this.#groupMs, () => this.#flush(name))
  }

  /** What waits to be grouped goes out at once; what fails is not tried again. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    const last = [...this.#waiting.keys()].flatMap((name) => this.#flush(name))
    await Promise.race([Promise.all(last), Bun.sleep(2_000)])
    this.#stop.abort()
  }

  #flush(name: string): Promise<void>[] {
    const group = this.#waiting.get(name)
    if (!group) return []
    this.#waiting.delete(name)
    const { state, rule, alerts } = group
    const now = this.#hooks.now()
    const message: Message = {
      state,
      rule: rule.name,
      severity: rule.severity,
      alerts,
      at: now,
      url: this.#hooks.url(),
    }
    this.#hooks.told(alerts, now)
    return this.#routes.filter((route) => isFor(route, rule)).map(({ channel }) => this.#send(channel, message, 0))
  }

  async #send(channel: Channel, message: Message, tries: number): Promise<void> {
    const waiting = this.#sending.get(channel) ?? 0
    if (tries === 0 && waiting >= MOST_WAITING) {
      this.#lost(channel, message, `${MOST_WAITING} messages wait for it already.`)
      return
    }
    if (tries === 0) this.#sending.set(channel, waiting + 1)
    const over = () => this.#sending.set(channel, (this.#sending.get(channel) ?? 1) - 1)
    try {
      await channel.send(message, AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TRY_MS)]))
      over()
    } catch (cause) {
      const told = cause instanceof Error ? cause.message : String(cause)
      const wait = cause instanceof PermanentError || this.#stop.signal.aborted ? undefined : TRIES_MS[tries]
      if (wait === undefined) {
        over()
        this.#lost(channel, message, told)
        return
      }
      this.#later(wait, () => void this.#send(channel, message, tries + 1))
    }
  }

  #lost(channel: Channel, message: Message, told: string): void {
    this.#hooks.warn('An alert could not be delivered.', {
      ...{ channel: channel.name, rule: message.rule, state: message.state, told },
      subjects: message.alerts.map(({ subject }) => subject).slice(0, 10),
    })
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, ms)
    timer.unref()
    this.#timers.add(timer)
  }
}

/** Sends a message to each, now and once. @returns what became of it */
export function testAll(channels: readonly Channel[], message: Message): Promise<Tested[]> {
  return Promise.all(
    channels.map(async (channel) => {
      const { name, kind } = channel
      try {
        await channel.send(message, AbortSignal.timeout(TRY_MS))
        return { channel: name, kind, ok: true, told: undefined }
      } catch (cause) {
        return { channel: name, kind, ok: false, told: cause instanceof Error ? cause.message : String(cause) }
      }
    }),
  )
}

interface Tested {
  channel: string
  kind: string
  ok: boolean
  /** What went wrong. */
  told: string | undefined
}

const isFor = ({ channel, from }: Route, { channels, severity }: Rule): boolean =>
  channels ? channels.includes(channel.name) : SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(from)
