/** /v1/models in the shape that the caller's client expects. */
import type { Principal } from '../core/key.ts'
import { namesFor } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import { findAlias, type Snapshot } from '../core/snapshot.ts'

/** Models have no birthday here; clients want a number all the same. */
const CREATED = 1_700_000_000

const openaiModel = (id: string, snapshot: Snapshot) => ({
  id,
  object: 'model',
  created: CREATED,
  owned_by: findAlias(snapshot, id)?.targets[0]?.provider ?? 'tollgate',
})

const anthropicModel = (id: string) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: new Date(CREATED * 1000).toISOString(),
})

/** Anthropic's clients say who they are by this header; the list then has their shape. */
const isAnthropic = (headers: Headers): boolean => headers.has('anthropic-version')

export function listModels(snapshot: Snapshot, who: Principal, headers: Headers): Record<string, unknown> {
  const names = namesFor(snapshot, who)
  if (isAnthropic(headers))
    return {
      data: names.map(anthropicModel),
      has_more: false,
      first_id: names[0] ?? null,
      last_id: names.at(-1) ?? null,
    }
  return { object: 'list', data: names.map((name) => openaiModel(name, snapshot)) }
}

/** @throws Refusal model_not_found, also for a model that this caller may not use */
export function showModel(snapshot: Snapshot, who: Principal, headers: Headers, id: string): Record<string, unknown> {
  const names = namesFor(snapshot, who)
  const known = findAlias(snapshot, id)
  const mayUse =
    who.role === 'admin' ||
    names.includes(id) ||
    (known !== undefined && namesFor({ ...snapshot, aliases: new Map([[id, known]]), wildcards: [] }, who).includes(id))
  if (!known || !mayUse)
    throw new Refusal('model_not_found', `The model '${id.slice(0, 200)}' does not exist here or is not found.`, {
      param: 'model',
    })
  return isAnthropic(headers) ? anthropicModel(id) : openaiModel(id, snapshot)
}
