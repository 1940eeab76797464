/** Takes a person out of what stands beside the entries of the second chain, and says so in the chain. */
import { randomBytes } from 'node:crypto'
import type { RedactedEntry } from '../core/audit-details.ts'
import { CHAINS } from '../core/audit-entry.ts'
import type { AuditLog } from './log.ts'
import type { Details } from './shelf.ts'

interface DetailsShelf {
  /** All that have one of these texts in them. */
  detailsWith(texts: readonly string[]): Details[]
  putDetails(changed: readonly Details[]): void
}

/** An entry names so many others at most. */
const MOST = 500

/** @param clean gives a value without the person @returns how many entries were changed */
export function redact(
  log: AuditLog,
  shelf: DetailsShelf,
  names: readonly string[],
  clean: (value: unknown) => unknown,
  now: number,
): number {
  log.flush()
  const changed = shelf.detailsWith(names).flatMap((row): Details[] => {
    const before = JSON.parse(row.text) as { actor?: string }
    const after = clean(before) as { actor?: string; ip?: string }
    // Where it was he who acted, his address goes, too.
    if (after.actor !== before.actor) delete after.ip
    const text = JSON.stringify(after)
    return text === row.text ? [] : [{ seq: row.seq, nonce: randomBytes(16), text }]
  })
  for (let i = 0; i < changed.length; i += MOST) {
    const portion = changed.slice(i, i + MOST)
    const entry: RedactedEntry = {
      ...{ kind: 'redacted', time: new Date(now).toISOString(), why: 'a person was forgotten' },
      entries: portion.map(({ seq, nonce, text }) => [seq, log.keys.details(nonce, text)]),
    }
    log.add({ chain: CHAINS.admin, at: now, body: () => JSON.stringify(entry) })
    log.flush()
    shelf.putDetails(portion)
  }
  return changed.length
}
