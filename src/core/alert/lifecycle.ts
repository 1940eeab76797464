/** The life of alerts: from the first time that a condition holds to the word that it is over. Pure. */
import type { Action, Rule, Severity } from './rule.ts'

/** That a condition holds, of whom. */
export interface Finding {
  rule: Rule
  /** `key:abc`, `address:10.0.0.7`, `target:ollama/llama3`. */
  subject: string
  value: number | undefined
  /** What it was compared with. */
  limit: number | undefined
  /** For people. */
  text: string
}

/** What was done beside telling, and how it is undone. */
export interface Done {
  action: Action
  /** What was before, for whoever did it. */
  before: Readonly<Record<string, unknown>>
}

export interface Alert {
  id: string
  rule: string
  subject: string
  severity: Severity
  text: string
  value: number | undefined
  limit: number | undefined
  /** ms since the epoch. */
  since: number
  /** When it was last found to hold. */
  seenAt: number
  /** Somebody was told, and when last; undefined: not yet. */
  toldAt: number | undefined
  resolvedAt: number | undefined
  /** Who has looked, and when. */
  looked: { by: string; at: number } | undefined
  done: readonly Done[]
}

export interface Times {
  /** ms without its condition after which it is over. */
  overMs: number
  /** ms after which somebody is told again that it still holds. */
  repeatMs: number
}

export interface Turn {
  /** New: to be told, and its actions to be done. */
  begun: Alert[]
  /** Told long ago, and still so. */
  again: Alert[]
  over: Alert[]
}

/** What has begun to hold and has not held for long enough yet: rule and subject → since. */
export type Pending = Map<string, number>

export const nameOf = (rule: string, subject: string): string => `${rule} ${subject}`

/** More alerts at once than this are not opened: what floods says so once (`flood`). */
const MOST_OPEN = 1_000

/**
 * One look at everything. Changes `open` and `pending` in place.
 * @param id makes one for a new alert
 */
export function turn(
  open: Map<string, Alert>,
  pending: Pending,
  findings: readonly Finding[],
  now: number,
  times: Times,
  id: () => string,
): Turn {
  const result: Turn = { begun: [], again: [], over: [] }
  const found = new Set<string>()
  for (const { rule, subject, value, limit, text } of findings) {
    const name = nameOf(rule.name, subject)
    found.add(name)
    const alert = open.get(name)
    if (alert) {
      Object.assign(alert, { seenAt: now, value, limit, text })
      if (alert.toldAt !== undefined && now - alert.toldAt >= times.repeatMs && !alert.looked) result.again.push(alert)
      continue
    }
    const since = pending.get(name) ?? now
    pending.set(name, since)
    if (now - since < rule.forMs || open.size >= MOST_OPEN) continue
    pending.delete(name)
    const begun: Alert = {
      ...{ id: id(), rule: rule.name, subject, severity: rule.severity, text, value, limit },
      ...{ since, seenAt: now, toldAt: undefined, resolvedAt: undefined, looked: undefined, done: [] },
    }
    open.set(name, begun)
    result.begun.push(begun)
  }
  for (const name of pending.keys()) if (!found.has(name)) pending.delete(name)
  for (const [name, alert] of open) {
    if (found.has(name) || now - alert.seenAt < times.overMs) continue
    // What was done stands until somebody looks, whether it goes on or not.
    if (alert.done.length > 0 && !alert.looked) continue
    alert.resolvedAt = now
    open.delete(name)
    result.over.push(alert)
  }
  return result
}

/** A silence: what it is about, and how long. `*` stands for anything. */
export interface Silence {
  id: string
  rule: string
  subject: string
  /** ms since the epoch. */
  until: number
  by: string
  comment: string
}

export const isSilenced = (
  alert: Pick<Alert, 'rule' | 'subject'>,
  silences: readonly Silence[],
  now: number,
): boolean =>
  silences.some(
    ({ rule, subject, until }) => until > now && matches(rule, alert.rule) && matches(subject, alert.subject),
  )

const matches = (pattern: string, text: string): boolean => {
  const [head = '', tail] = pattern.split('*')
  return tail === undefined ? pattern === text : text.startsWith(head) && text.endsWith(tail)
}
