/** The routes of /alerts: what holds, who has looked, what is not to be told, and a test of the channels. */
import { z } from 'zod'
import type { AlertDesk } from '../alerts/desk.ts'
import type { Alert, Silence } from '../core/alert/lifecycle.ts'
import { Refusal } from '../core/refusal.ts'
import { readBody } from './fields.ts'

type Json = Record<string, unknown>

export interface AlertRoutes {
  list(query: URLSearchParams): Json
  /** @param by who looks */
  look(body: Json, by: string): Json
  test(body: Json): Promise<Json>
  silences(): Json
  silence(body: Json, by: string): Json
  unsilence(id: string): Json
}

const text = (most: number) => z.string().min(1).max(most)

export const looking = z.strictObject({ id: text(64), keep: z.boolean().optional() })
export const testing = z.strictObject({ channel: text(64).optional() })
export const silencing = z.strictObject({
  rule: text(64).optional(),
  subject: text(300).optional(),
  /** Hours. */
  hours: z.number().positive().max(8_760),
  comment: z.string().max(500).optional(),
})

const USUAL = 50
const MOST = 1_000

export function alertRoutes(desk: AlertDesk, now: () => number): AlertRoutes {
  return {
    list(query) {
      const limit = Number(query.get('limit') ?? USUAL)
      if (!Number.isInteger(limit) || limit < 0 || limit > MOST)
        throw new Refusal('invalid_request', `'limit' must be a whole number up to ${MOST}.`, { param: 'limit' })
      const { open, recent } = desk.list(limit)
      const rules = desk.watch.rules.map(({ name, condition, severity, per }) => ({
        ...{ name, condition: condition.text, severity, per },
      }))
      return {
        open: open.map(shown),
        recent: recent.map(shown),
        rules,
        channels: desk.channels.map(({ name, kind }) => ({ name, kind })),
      }
    },
    look(body, by) {
      const { id, keep } = readBody(looking, body)
      return shown(desk.look(id, by, keep ?? false))
    },
    async test(body) {
      const channels = await desk.test(readBody(testing, body).channel)
      return { ok: channels.every(({ ok }) => ok), channels }
    },
    silences: () => ({ silences: desk.silences.map(shownSilence) }),
    silence(body, by) {
      const { rule = '*', subject = '*', hours, comment = '' } = readBody(silencing, body)
      return shownSilence(desk.silence({ rule, subject, until: now() + hours * 3_600_000, by, comment }))
    },
    unsilence(id) {
      desk.unsilence(id)
      return { deleted: id }
    },
  }
}

const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : new Date(at).toISOString())

const shown = (alert: Alert): Json => ({
  ...{ id: alert.id, rule: alert.rule, subject: alert.subject, severity: alert.severity, message: alert.text },
  ...{ value: alert.value, limit: alert.limit, since: iso(alert.since), told_at: iso(alert.toldAt) },
  resolved_at: iso(alert.resolvedAt),
  looked: alert.looked && { by: alert.looked.by, at: iso(alert.looked.at) },
  actions: alert.done.map(({ action }) => action),
})

const shownSilence = ({ id, rule, subject, until, by, comment }: Silence): Json => ({
  ...{ id, rule, subject, by, comment },
  until: iso(until),
})
