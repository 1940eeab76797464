/** What channels are told: alerts of one rule and one kind together, so that a flood is one message. */
import type { Alert } from '../core/alert/lifecycle.ts'
import type { Severity } from '../core/alert/rule.ts'

export interface Message {
  /** What it says of them. */
  state: 'firing' | 'still firing' | 'resolved' | 'test'
  rule: string
  severity: Severity
  alerts: readonly Alert[]
  /** ms since the epoch. */
  at: number
  /** Of the gateway, for people; undefined: not known. */
  url: string | undefined
}

/** So many are told one by one; of the others how many there are. */
const MOST = 10

export function titleOf({ state, rule, severity, alerts }: Message): string {
  const many = alerts.length > 1 ? ` (${alerts.length})` : ''
  const word = {
    firing: severity.toUpperCase(),
    'still firing': `STILL ${severity.toUpperCase()}`,
    resolved: 'RESOLVED',
    test: 'TEST',
  }
  return `[${word[state]}] ${rule}${many}`
}

export function linesOf({ state, alerts, at }: Message): string[] {
  const lines = alerts.slice(0, MOST).map((alert) => {
    const after = state === 'resolved' ? ` (after ${lasted(at - alert.since)})` : ''
    const done = alert.done.map(({ action }) =>
      action.kind === 'block_key' ? 'the key is blocked' : 'its limit is lower',
    )
    const until = done.length > 0 ? ` Done: ${done.join(', ')}, until somebody looks (POST /alerts/look).` : ''
    return `${alert.subject}: ${alert.text}${after}${until}`
  })
  if (alerts.length > MOST) lines.push(`… and ${alerts.length - MOST} more.`)
  return lines
}

function lasted(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return `${Math.max(1, Math.round(ms / 1_000))} s`
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
