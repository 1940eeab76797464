/**
 * Announces keys whose secret is due (`auto_rotate`), and those whose old one has ended. A new secret is shown to whoever
 * fetches it, once: nobody is there to be shown one that the gateway made by itself.
 */
import type { Key } from '../core/key.ts'
import { dueOf } from '../core/rotation.ts'

/** Between two looks, ms. */
const EVERY_MS = 2_000

interface House {
  keys(): readonly Key[]
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export function startRotations({ keys, now, warn }: House): { stop(): void } {
  /** Key → what was told of it. A key that is replaced begins anew. */
  let told = new Map<string, string>()
  const look = () => {
    const still = new Map<string, string>()
    const at = now()
    for (const key of keys()) {
      const due = dueOf(key)
      if (!due || due.at > at || key.blocked || (key.expiresAt ?? at + 1) <= at) continue
      const state = `${key.serial ?? 0}:${due.endsAt > at ? 'due' : 'ended'}`
      still.set(key.id, state)
      if (told.get(key.id) === state) continue
      const facts = {
        ...{ key: key.id, key_alias: key.name, team_id: key.teamId, user_id: key.userId },
        ends_at: new Date(due.endsAt).toISOString(),
      }
      if (due.endsAt > at)
        warn('A key is to be replaced: fetch its new secret with `tollgate key rotate` or POST /key/rotate.', facts)
      else warn('A key was not replaced in time and is refused: POST /key/regenerate.', facts)
    }
    told = still
  }
  look()
  const timer = setInterval(look, EVERY_MS)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
