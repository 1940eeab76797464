/** Keys that are replaced from time to time: when a new secret is due, and how long the old one goes on. Pure. */
import type { Key } from './key.ts'
import { expiryAfter, parsePeriod } from './period.ts'

/** What a key's schedule says, as it was written. */
export interface Rotation {
  /** `30d`: LiteLLM's `rotation_interval`. */
  interval: string
  /** How long a secret goes on that is due. */
  grace: string
  /** When the schedule, or the secret, began, ms since the epoch. */
  since: number
}

export interface Due {
  /** ms since the epoch: from then on there is a new secret to be had. */
  at: number
  /** From then on the old one is refused. */
  endsAt: number
}

/** Of keys as they are: who changes one makes another object of it. */
const dues = new WeakMap<Rotation, Due>()

/** Undefined where it has no schedule. */
export function dueOf({ rotation }: Pick<Key, 'rotation'>): Due | undefined {
  if (!rotation) return undefined
  let due = dues.get(rotation)
  if (!due) {
    const at = after(rotation.interval, rotation.since)
    due = { at, endsAt: after(rotation.grace, at) }
    dues.set(rotation, due)
  }
  return due
}

/** @throws Error where it is no duration: it was checked when it was said */
export function after(duration: string, from: number): number {
  const period = parsePeriod(duration)
  if (!period) throw new Error(`'${duration}' is no duration`)
  return expiryAfter(period, from)
}
