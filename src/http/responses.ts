/** The kept responses of a caller: to be read, listed and taken away again. */
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import { ownerOf } from '../pipeline/recollect.ts'

export interface ResponseShelf {
  get(owner: string, id: string): { response: Record<string, unknown>; input: unknown[] } | undefined
  delete(owner: string, id: string): boolean
}

const owner = (who: Principal): string => ownerOf(who.key?.id)

const notFound = (id: string): Refusal => new Refusal('not_found', `Response with id '${id.slice(0, 100)}' not found.`)

/** @throws Refusal not_found, also for somebody else's */
export function getResponse(shelf: ResponseShelf, who: Principal, id: string): unknown {
  const kept = shelf.get(owner(who), id)
  if (!kept) throw notFound(id)
  return kept.response
}

export function deleteResponse(shelf: ResponseShelf, who: Principal, id: string): unknown {
  if (!shelf.delete(owner(who), id)) throw notFound(id)
  return { id, object: 'response', deleted: true }
}

/** Only what runs in the background can be cancelled, and nothing does here. */
export function cancelResponse(shelf: ResponseShelf, who: Principal, id: string): never {
  if (!shelf.get(owner(who), id)) throw notFound(id)
  throw new Refusal(
    'invalid_request',
    'Only responses created with background: true can be cancelled, and there are none here. Hang up on a stream to stop it.',
  )
}

/** The input that a response answered, newest first unless `order=asc`; `after` and `limit` page through it. */
export function listInput(shelf: ResponseShelf, who: Principal, id: string, query: URLSearchParams): unknown {
  const kept = shelf.get(owner(who), id)
  if (!kept) throw notFound(id)
  const named = kept.input.map((item, i) => ({ id: `${id}_in${i}`, ...(item as object) }))
  const ordered = query.get('order') === 'asc' ? named : named.reverse()
  const after = ordered.findIndex((item) => item.id === query.get('after'))
  const limit = Math.min(Math.max(1, Number(query.get('limit')) || 20), 100)
  const data = ordered.slice(after + 1, after + 1 + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: ordered.length > after + 1 + limit,
  }
}
