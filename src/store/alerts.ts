/** Alerts, silences, and what keys usually do, over restarts. */
import type { AlertShelf } from '../alerts/desk.ts'
import type { KeptHabit } from '../alerts/habits.ts'
import type { Alert, Silence } from '../core/alert/lifecycle.ts'
import type { Store } from './open.ts'

export class AlertStore implements AlertShelf {
  readonly #statements
  readonly #transaction: (work: () => void) => void

  constructor({ sqlite }: Store) {
    this.#statements = {
      open: sqlite.prepare<[], string>('SELECT facts FROM alerts WHERE resolved_at IS NULL').pluck(),
      recent: sqlite
        .prepare<[number], string>(
          'SELECT facts FROM alerts WHERE resolved_at IS NOT NULL ORDER BY resolved_at DESC LIMIT ?',
        )
        .pluck(),
      put: sqlite.prepare('INSERT OR REPLACE INTO alerts VALUES (?, ?, ?)'),
      prune: sqlite.prepare('DELETE FROM alerts WHERE resolved_at < ?'),
      silences: sqlite.prepare<[number], string>('SELECT facts FROM alert_silences WHERE until > ?').pluck(),
      putSilence: sqlite.prepare('INSERT OR REPLACE INTO alert_silences VALUES (?, ?, ?)'),
      removeSilence: sqlite.prepare('DELETE FROM alert_silences WHERE id = ?'),
      pruneSilences: sqlite.prepare('DELETE FROM alert_silences WHERE until < ?'),
      habits: sqlite.prepare<[], string>('SELECT facts FROM alert_habits ORDER BY rowid').pluck(),
      putHabit: sqlite.prepare('INSERT OR REPLACE INTO alert_habits VALUES (?, ?)'),
    }
    this.#transaction = (work) => sqlite.transaction(work)()
  }

  open(): Alert[] {
    return this.#statements.open.all().map((text) => JSON.parse(text as string) as Alert)
  }

  recent(limit: number): Alert[] {
    return this.#statements.recent.all(limit).map((text) => JSON.parse(text as string) as Alert)
  }

  put(alert: Alert): void {
    this.#statements.put.run(alert.id, alert.resolvedAt ?? null, JSON.stringify(alert))
  }

  silences(now: number): Silence[] {
    return this.#statements.silences.all(now).map((text) => JSON.parse(text as string) as Silence)
  }

  putSilence(silence: Silence): void {
    this.#statements.putSilence.run(silence.id, silence.until, JSON.stringify(silence))
  }

  removeSilence(id: string): boolean {
    return this.#statements.removeSilence.run(id).changes > 0
  }

  habits(): KeptHabit[] {
    return this.#statements.habits.all().map((text) => JSON.parse(text as string) as KeptHabit)
  }

  putHabits(habits: readonly KeptHabit[]): void {
    if (habits.length === 0) return
    this.#transaction(() => {
      for (const habit of habits) this.#statements.putHabit.run(habit.subject, JSON.stringify(habit))
    })
  }

  prune(before: number): void {
    this.#statements.prune.run(before)
    this.#statements.pruneSilences.run(before)
  }
}
