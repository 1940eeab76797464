/** What a caller may call: the lists of models that all have to allow it, and the leave for models that ask for it. Pure. */
import { type Grant, isOpen, stateAt } from './grant.ts'
import { allows } from './key.ts'
import { Refusal } from './refusal.ts'
import { readScope, SCOPE_KINDS, spokenScope } from './scope.ts'

/** Aliases and patterns that a scope is for. */
export interface ModelList {
  /** `key:…`, `team:red`. */
  scope: string
  models: readonly string[]
}

/** Names that a scope has for models: asked → meant. */
export interface Renames {
  /** `key:…`, `team:red`. */
  scope: string
  names: Readonly<Record<string, string>>
}

export interface Access {
  /** Each has to allow a model; none allows everything. */
  lists: readonly ModelList[]
  /** The narrowest scope's first. */
  renames: readonly Renames[]
  /** The newest for each alias or pattern. */
  grants: ReadonlyMap<string, Grant> | 'all'
  /** By which grants are judged, ms since the epoch. */
  now: number
}

/** The master key's. */
export const EVERYTHING: Access = { lists: [], renames: [], grants: 'all', now: 0 }

/** Whether all lists allow this name, which is an alias of the gateway's own. */
export const mayName = ({ lists }: Access, name: string): boolean => lists.every(({ models }) => allows(models, name))

/** The name that is meant where a caller says `asked`. Each scope is asked once, so that nobody runs in a circle. */
export function meantBy({ renames }: Access, asked: string): string {
  let name = asked
  for (const { names } of renames) if (Object.hasOwn(names, name)) name = names[name] as string
  return name
}

/** The list that stands in the way of what a caller asks for by this name. */
export function listAgainst(access: Access, asked: string): ModelList | undefined {
  const { lists, renames } = access
  if (renames.length === 0) return lists.find(({ models }) => !allows(models, asked))
  /** Each name on the way to the last, and how wide the scopes are that lead from it: the narrowest of them. */
  const trail: { name: string; width: number }[] = [{ name: asked, width: Number.POSITIVE_INFINITY }]
  for (const { scope, names } of renames) {
    const name = (trail.at(-1) as { name: string }).name
    if (!Object.hasOwn(names, name)) continue
    for (const step of trail) step.width = Math.min(step.width, widthOf(scope))
    trail.push({ name: names[name] as string, width: Number.POSITIVE_INFINITY })
  }
  // Who gives a name to a model lets in whoever may use the name, as far as he may let in anybody: a name of a key's own
  // leads nowhere where its team may not go.
  return lists.find(
    ({ scope, models }) => !trail.some(({ name, width }) => width >= widthOf(scope) && allows(models, name)),
  )
}

/** Whether a caller may ask for something by this name. */
export const mayAsk = (access: Access, asked: string): boolean => listAgainst(access, asked) === undefined

const widthOf = (scope: string): number => SCOPE_KINDS.indexOf(readScope(scope).kind)

/** @param grant what has to be given for it; undefined where nothing has */
export const isGranted = ({ grants, now }: Access, grant: string | undefined): boolean =>
  grant === undefined || grants === 'all' || isOpen(grants.get(grant), now)

/** Whether nothing can stand in this caller's way. */
export const isFree = ({ lists, renames, grants }: Access): boolean =>
  lists.length === 0 && renames.length === 0 && grants === 'all'

/** Who does not allow it, for a refusal: `This API key`, or `Team 'red'`. */
export function whoForbids(access: Access, asked: string): string {
  const list = listAgainst(access, asked)
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
