/** What a caller may call: the lists of models that all have to allow it, and the leave for models that ask for it. Pure. */
import { type Grant, isOpen, stateAt } from './grant.ts'
import { allows } from './key.ts'
import { Refusal } from './refusal.ts'
import { spokenScope } from './scope.ts'

/** Aliases and patterns that a scope is for. */
export interface ModelList {
  /** `key:…`, `team:red`. */
  scope: string
  models: readonly string[]
}

export interface Access {
  /** Each has to allow a model; none allows everything. */
  lists: readonly ModelList[]
  /** The newest for each alias or pattern. */
  grants: ReadonlyMap<string, Grant> | 'all'
  /** By which grants are judged, ms since the epoch. */
  now: number
}

/** The master key's. */
export const EVERYTHING: Access = { lists: [], grants: 'all', now: 0 }

/** Whether all lists allow this name. */
export const mayName = ({ lists }: Access, name: string): boolean => lists.every(({ models }) => allows(models, name))

/** @param grant what has to be given for it; undefined where nothing has */
export const isGranted = ({ grants, now }: Access, grant: string | undefined): boolean =>
  grant === undefined || grants === 'all' || isOpen(grants.get(grant), now)

/** Whether nothing can stand in this caller's way. */
export const isFree = ({ lists, grants }: Access): boolean => lists.length === 0 && grants === 'all'

/** Who does not allow it, for a refusal: `This API key`, or `Team 'red'`. */
export function whoForbids({ lists }: Access, name: string): string {
  const list = lists.find(({ models }) => !allows(models, name))
  if (!list || list.scope.startsWith('key:')) return 'This API key'
  const spoken = spokenScope(list.scope)
  return spoken[0]?.toUpperCase() + spoken.slice(1)
}

/** What a caller is told who has no leave: what became of his asking, and how to ask. */
export function needsGrant({ grants, now }: Access, model: string, grant: string): Refusal {
  const last = grants === 'all' ? undefined : grants.get(grant)
  const shown = model.slice(0, 200)
  const how = `Ask for it with this key: POST /grant/ask {"model": "${shown}", "reason": "…"}.`
  return new Refusal(
    'grant_required',
    `The model '${shown}' needs leave from the operator. ${sentence(last, now)}${how}`,
    {
      param: 'model',
      facts: { grant, grant_id: last?.id ?? null, grant_state: last ? stateAt(last, now) : 'none' },
    },
  )
}

function sentence(last: Grant | undefined, now: number): string {
  const at = (ms: number | undefined) => (ms === undefined ? '' : ` at ${new Date(ms).toISOString()}`)
  switch (last && stateAt(last, now)) {
    case 'asked':
      return `It was asked for${at(last?.askedAt)} and is not decided yet. `
    case 'refused':
      return `It was refused${at(last?.decidedAt)}. `
    case 'expired':
      return `The last one was over${at(last?.expiresAt)}. `
    case 'ended':
      return `It was taken back${at(last?.decidedAt)}. `
    default:
      return ''
  }
}
