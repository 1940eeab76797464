/** Rules over the past: what would have been told, had they stood then. Pure but for what it is given. */
import { type Alert, type Pending, type Times, turn } from '../core/alert/lifecycle.ts'
import type { Sample } from './sample.ts'
import type { Watch } from './watch.ts'

/** What happened, in the order of its time. */
export type Past = { sample: Sample } | { failedAuth: { address: string; at: number; count: number } }

export interface Replayed {
  alerts: Alert[]
  /** What was gone through. */
  seen: number
}

const MOST_ALERTS = 10_000

/**
 * @param past from long before `from` on, so that habits are learnt @param from ms since the epoch: nothing is told of before
 * @param stepMs between two looks
 */
export function replay(
  watch: Watch,
  past: Iterable<Past>,
  from: number,
  to: number,
  stepMs: number,
  times: Times,
): Replayed {
  const open = new Map<string, Alert>()
  const pending: Pending = new Map()
  const alerts: Alert[] = []
  let [seen, next] = [0, from]
  const look = (now: number) => {
    const findings = watch.look([], now)
    const { begun } = turn(open, pending, findings, now, times, () => String(alerts.length + 1))
    if (alerts.length < MOST_ALERTS) alerts.push(...begun)
    for (const alert of begun) alert.toldAt = now
  }
  /** Looks up to a moment; while nothing holds and nothing happens one look is as good as a thousand. */
  const lookUntil = (until: number) => {
    while (next <= until) {
      look(next)
      const isQuiet = open.size === 0 && pending.size === 0
      next += isQuiet ? Math.max(stepMs, Math.floor((until - next) / stepMs) * stepMs) : stepMs
    }
  }
  for (const one of past) {
    const at = 'sample' in one ? one.sample.at : one.failedAuth.at
    if (at >= to) break
    if (at >= from) lookUntil(at)
    else watch.look([], at)
    seen++
    if ('sample' in one) watch.request(one.sample)
    else for (let i = 0; i < one.failedAuth.count; i++) watch.failedAuth(one.failedAuth.address, at)
  }
  look(next)
  lookUntil(to)
  return { alerts, seen }
}
