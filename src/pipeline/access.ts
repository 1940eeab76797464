/** What the caller of a request may call: the lists of all that he belongs to, and what was granted to his key. */
import { type Access, EVERYTHING } from '../core/access.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

/** After his payer is known, since the customer that a request names may be for certain models, too. */
export function accessOf(call: Call, io: Io): Access {
  const key = call.who?.key
  if (!key) return EVERYTHING
  const { payers } = io
  return {
    lists: payers.lists(call.payer, key),
    renames: payers.renames(call.payer, key),
    grants: io.grants.of(key.id),
    now: io.now(),
  }
}
