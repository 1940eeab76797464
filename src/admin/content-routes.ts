/**
 * Reading what was said and answered. Nobody may by his office alone: whoever reads has to be named (`content_reader: true`
 * in the metadata of a user who sees everything), comes in as himself and not by the master key, and each reading is an
 * entry of the audit.
 */
import type { TellChange } from '../core/change.ts'
import type { Holder } from '../core/holder.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'

interface ContentHouse {
  get(requestId: string): { at: number; said: string } | undefined
  user(id: string): Pick<Holder, 'metadata' | 'blocked'> | undefined
  tell: TellChange
}

/** @throws Refusal forbidden, not_found */
export function showContent(house: ContentHouse, who: Principal, requestId: string): Record<string, unknown> {
  const user = who.userId === undefined ? undefined : house.user(who.userId)
  if (user?.metadata.content_reader !== true)
    throw new Refusal(
      'forbidden',
      who.way === 'master'
        ? 'Content is read by people, so that it is known who did: come in as a user whose metadata says content_reader: true. The master key cannot.'
        : 'Content is read by users whose metadata says content_reader: true, set by an administrator with /user/update.',
    )
  const found = house.get(requestId)
  // Whoever looks in vain has looked, too.
  house.tell({ table: 'content', id: requestId.slice(0, 100), action: 'read', after: { found: found !== undefined } })
  if (!found)
    throw new Refusal(
      'not_found',
      'There is no content of this request: none was asked for, or it is over (tollgate.content_log).',
    )
  return { request_id: requestId, time: new Date(found.at).toISOString(), ...(JSON.parse(found.said) as object) }
}
