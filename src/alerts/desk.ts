/** The alerts of a gateway: looked for every few seconds, told, acted on, kept, and let go when they are over. */
import { type Alert, type Done, nameOf, type Pending, type Silence, turn } from '../core/alert/lifecycle.ts'
import type { Action, Rule } from '../core/alert/rule.ts'
import { Refusal } from '../core/refusal.ts'
import type { KeptHabit } from './habits.ts'
import type { Message } from './message.ts'
import type { State } from './sample.ts'
import { type Route, Teller, testAll } from './teller.ts'
import type { Watch } from './watch.ts'

export interface AlertShelf {
  /** Those that are not over. */
  open(): Alert[]
  /** The newest first. */
  recent(limit: number): Alert[]
  put(alert: Alert): void
  silences(now: number): Silence[]
  putSilence(silence: Silence): void
  removeSilence(id: string): boolean
  habits(): KeptHabit[]
  putHabits(habits: readonly KeptHabit[]): void
  /** @returns rows that changed, by table */
  forget(isHis: (subject: string) => boolean, clean: (value: unknown) => unknown): Record<string, number>
  prune(before: number): void
}

export interface DeskOptions {
  everyMs: number
  groupMs: number
  repeatMs: number
  overMs: number
}

export interface DeskHooks {
  now(): number
  id(): string
  url(): string | undefined
  states(now: number): readonly State[]
  /** @returns what was before, or undefined where there is nothing to do */
  act(action: Action, subject: string): Done['before'] | undefined
  undo(done: Done, subject: string): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** Alerts that are over are kept for so long, ms. */
const KEEP_MS = 90 * 86_400_000
const HABITS_EVERY_MS = 600_000

export class AlertDesk {
  readonly watch: Watch
  readonly #teller: Teller
  readonly #shelf: AlertShelf
  readonly #options: DeskOptions
  readonly #hooks: DeskHooks
  readonly #open = new Map<string, Alert>()
  readonly #pending: Pending = new Map()
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #timer: ReturnType<typeof setInterval>
  #habitsAt: number

  constructor(watch: Watch, routes: readonly Route[], shelf: AlertShelf, options: DeskOptions, hooks: DeskHooks) {
    this.watch = watch
    this.#shelf = shelf
    this.#options = options
    this.#hooks = hooks
    this.#rules = new Map(watch.rules.map((rule) => [rule.name, rule]))
    const now = hooks.now()
    this.#teller = new Teller(routes, options.groupMs, {
      ...hooks,
      told: (alerts, at) => {
        for (const alert of alerts) {
          alert.toldAt = at
          this.#keep(alert)
        }
      },
    })
    this.#teller.silences = shelf.silences(now)
    for (const alert of shelf.open()) {
      this.#open.set(nameOf(alert.rule, alert.subject), alert)
      const rule = this.#rules.get(alert.rule)
      // It began just before a stop: nobody has been told yet.
      if (rule && alert.toldAt === undefined) this.#teller.tell('firing', rule, alert)
    }
    for (const habit of shelf.habits()) watch.habits.take(habit, now)
    this.#habitsAt = now
    this.#timer = setInterval(() => this.#tick(), options.everyMs)
    this.#timer.unref()
  }

  get channels(): readonly { name: string; kind: string }[] {
    return this.#teller.channels
  }

  /** Those that hold, and those that are over lately. */
  list(limit: number): { open: Alert[]; recent: Alert[] } {
    return { open: [...this.#open.values()], recent: this.#shelf.recent(limit) }
  }

  get silences(): readonly Silence[] {
    return this.#teller.silences
  }

  /**
   * Somebody has looked: what was done is undone unless it is to stay, and it is not told again while it holds.
   * @throws Refusal not_found
   */
  look(id: string, by: string, keep: boolean): Alert {
    const alert = [...this.#open.values()].find((one) => one.id === id)
    if (!alert) throw new Refusal('not_found', `There is no open alert '${id.slice(0, 60)}'. GET /alerts lists them.`)
    if (!keep) {
      for (const done of alert.done) this.#hooks.undo(done, alert.subject)
      alert.done = []
    }
    alert.looked = { by, at: this.#hooks.now() }
    this.#shelf.put(alert)
    return alert
  }

  silence(silence: Omit<Silence, 'id'>): Silence {
    const made = { ...silence, id: this.#hooks.id() }
    this.#shelf.putSilence(made)
    this.#teller.silences = this.#shelf.silences(this.#hooks.now())
    return made
  }

  /**
   * Somebody is forgotten: alerts and habits of his go, and his names go from all others.
   * @param subjects of his: `user:ada`, `key:abc` @returns rows that changed, by table
   */
  forget(subjects: readonly string[], clean: (value: unknown) => unknown): Record<string, number> {
    const his = new Set(subjects)
    // Of a budget that is for one model: `user:ada model:m`; of a soft one: `user:ada (soft)`.
    const isHis = (subject: string) =>
      his.has(subject) || subjects.some((one) => subject.startsWith(`${one} model:`) || subject === `${one} (soft)`)
    this.watch.forget(isHis)
    for (const [name, alert] of this.#open)
      if (isHis(alert.subject)) this.#open.delete(name)
      else Object.assign(alert, clean({ text: alert.text, looked: alert.looked }))
    for (const name of this.#pending.keys()) if (isHis(name.slice(name.indexOf(' ') + 1))) this.#pending.delete(name)
    const counts = this.#shelf.forget(isHis, clean)
    this.#teller.silences = this.#shelf.silences(this.#hooks.now())
    return counts
  }

  /** @throws Refusal not_found */
  unsilence(id: string): void {
    if (!this.#shelf.removeSilence(id)) throw new Refusal('not_found', `There is no silence '${id.slice(0, 60)}'.`)
    this.#teller.silences = this.#shelf.silences(this.#hooks.now())
  }

  /** Sends one to each channel, or to the one that is named. @returns what became of each */
  async test(
    name: string | undefined,
  ): Promise<{ channel: string; kind: string; ok: boolean; told: string | undefined }[]> {
    const channels = this.#teller.channels.filter((channel) => name === undefined || channel.name === name)
    if (channels.length === 0)
      throw new Refusal(
        'not_found',
        name === undefined
          ? 'No channel is configured: tollgate.alerts.channels.'
          : `There is no channel '${name.slice(0, 60)}'. There are ${this.#teller.channels.map((one) => one.name).join(', ') || 'none'}.`,
      )
    return testAll(channels, testMessage(this.#hooks.now(), this.#hooks.url()))
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#keepHabits()
    await this.#teller.stop()
  }

  #tick(): void {
    try {
      this.#round()
    } catch (cause) {
      this.#hooks.warn('Alerts could not be looked for; it will be tried again.', { told: String(cause) })
    }
  }

  #round(): void {
    const now = this.#hooks.now()
    const findings = this.watch.look(this.#hooks.states(now), now)
    const { begun, again, over } = turn(this.#open, this.#pending, findings, now, this.#options, () => this.#hooks.id())
    for (const alert of begun) {
      const rule = this.#rules.get(alert.rule) as Rule
      for (const action of rule.actions) this.#act(alert, action)
      this.#keep(alert)
      this.#hooks.warn('An alert begins.', {
        rule: alert.rule,
        subject: alert.subject,
        severity: alert.severity,
        told: alert.text,
      })
      this.#teller.tell('firing', rule, alert)
    }
    for (const alert of again) this.#teller.tell('still firing', this.#rules.get(alert.rule) as Rule, alert)
    for (const alert of over) {
      this.#keep(alert)
      const rule = this.#rules.get(alert.rule)
      if (rule && alert.toldAt !== undefined) this.#teller.tell('resolved', rule, alert)
    }
    if (now - this.#habitsAt < HABITS_EVERY_MS) return
    this.#keepHabits()
    this.#shelf.prune(now - KEEP_MS)
    this.#teller.silences = this.#shelf.silences(now)
  }

  /** Where the database cannot be written somebody is to be told all the more. */
  #keep(alert: Alert): void {
    try {
      this.#shelf.put(alert)
    } catch (cause) {
      this.#hooks.warn('An alert could not be kept; it is told all the same.', {
        rule: alert.rule,
        told: String(cause),
      })
    }
  }

  #act(alert: Alert, action: Action): void {
    try {
      const before = this.#hooks.act(action, alert.subject)
      if (before) alert.done = [...alert.done, { action, before }]
    } catch (cause) {
      this.#hooks.warn('An alert could not act.', { rule: alert.rule, subject: alert.subject, told: String(cause) })
    }
  }

  #keepHabits(): void {
    this.#habitsAt = this.#hooks.now()
    this.#shelf.putHabits(this.watch.habits.changed())
  }
}

/** @param now ms since the epoch */
export function testMessage(now: number, url: string | undefined): Message {
  const alert: Alert = {
    ...{
      id: 'test',
      rule: 'test',
      subject: 'gateway',
      severity: 'info',
      text: 'This is a test. Nothing has happened.',
    },
    ...{ value: undefined, limit: undefined, since: now, seenAt: now, toldAt: undefined, resolvedAt: undefined },
    ...{ looked: undefined, done: [] },
  }
  return { state: 'test', rule: 'test', severity: 'info', alerts: [alert], at: now, url }
}
