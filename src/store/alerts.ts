/** Alerts, silences, and what keys usually do, over restarts. */
import type { AlertShelf } from '../alerts/desk.ts'
import type { KeptHabit } from '../alerts/habits.ts'
import type { Alert, Silence } from '../core/alert/lifecycle.ts'
import type { Store } from './open.ts'

export class AlertStore implements AlertShelf {
  readonly #sqlite: Store['sqlite']
  readonly #statements
  readonly #transaction: (work: () => void) => void

  constructor({ sqlite }: Store) {
    this.#sqlite = sqlite
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

  /** Takes somebody out: what is about him goes, and his names go from the rest. @returns how many rows changed, by table */
  forget(isHis: (subject: string) => boolean, clean: (value: unknown) => unknown): Record<string, number> {
    const counts = { alerts: 0, alert_silences: 0, alert_habits: 0 }
    this.#transaction(() => {
      for (const table of ['alerts', 'alert_silences'] as const) {
        const put = this.#sqlite.prepare(`UPDATE ${table} SET facts = ? WHERE id = ?`)
        const remove = this.#sqlite.prepare(`DELETE FROM ${table} WHERE id = ?`)
        const rows = this.#sqlite.prepare<[], { id: string; facts: string }>(`SELECT id, facts FROM ${table}`).all()
        for (const { id, facts } of rows) {
          const said = JSON.parse(facts) as Record<string, unknown> & { subject?: string }
          // Whoever is called as a rule is does not rename it.
          const named = Object.fromEntries(
            ['text', 'looked', 'by', 'comment'].flatMap((name) => (name in said ? [[name, said[name]]] : [])),
          )
          const left = JSON.stringify({ ...said, ...(clean(named) as object) })
          if (said.subject !== undefined && isHis(said.subject)) counts[table] += remove.run(id).changes
          else if (left !== facts) counts[table] += put.run(left, id).changes
        }
      }
      const subjects = this.#sqlite.prepare<[], string>('SELECT subject FROM alert_habits').pluck().all()
      const remove = this.#sqlite.prepare('DELETE FROM alert_habits WHERE subject = ?')
      for (const subject of subjects.filter(isHis)) counts.alert_habits += remove.run(subject).changes
    })
    return counts
  }

  prune(before: number): void {
    this.#statements.prune.run(before)
    this.#statements.pruneSilences.run(before)
  }
}
