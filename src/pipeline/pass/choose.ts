/** Which target of a provider a passed-through request is for, whether this caller may ask it, and at what price. Pure. */
import { type Access, isGranted, mayName, needsGrant, whoForbids } from '../../core/access.ts'
import { UNKNOWN } from '../../core/price.ts'
import { Refusal } from '../../core/refusal.ts'
import { findAlias, type Snapshot } from '../../core/snapshot.ts'
import type { Target } from '../../core/target.ts'

export interface Chosen {
  target: Target
  /** The model in the provider's words, where the caller named one. */
  model: string | undefined
}

/** All targets of a provider, those with a pattern for a name last. */
export function targetsOf(snapshot: Snapshot, provider: string): Target[] {
  const all = [...snapshot.aliases.values(), ...snapshot.wildcards].flatMap((alias) => alias.targets)
  return all.filter((t) => t.provider === provider)
}

/**
 * @param model as the caller named it: an alias of ours or a name of the provider's
 * @param writes whether the request changes something or asks for an answer (anything but GET, HEAD and DELETE)
 * @throws Refusal not_found, model_access_denied, grant_required
 */
export function chooseTarget(
  snapshot: Snapshot,
  access: Access,
  provider: string,
  model: string | undefined,
  writes: boolean,
): Chosen {
  const targets = targetsOf(snapshot, provider)
  const [first] = targets
  if (!first) throw new Refusal('not_found', `There is no target of ${provider} configured here.`)
  const mayUse = (name: string) => mayName(access, name)
  if (model === undefined) {
    // Anything may be meant: only who may use anything of this provider may ask so.
    if (!allowsAll(access, provider))
      throw new Refusal(
        'model_access_denied',
        `${whoForbids(access, '')} is for certain models, and the request names none. It would need all of '${provider}/*'.`,
        { param: 'model' },
      )
    // What is only read has no price; what is asked for without a name has one that nobody knows.
    return { target: { ...first, price: writes ? UNKNOWN : { kind: 'free', version: 'no model' } }, model: undefined }
  }
  const named = findAlias(snapshot, model)?.targets.filter((t) => t.provider === provider) ?? []
  const known = [
    ...named,
    ...targets.filter((t) => t.model === model),
    ...(findAlias(snapshot, `${provider}/${model}`)?.targets.filter((t) => t.provider === provider) ?? []),
  ]
  const usable = known.filter((t) => mayUse(t.alias) || mayUse(`${provider}/${t.model}`))
  if (usable.length === 0 && (known.length > 0 || !mayUse(`${provider}/${model}`)))
    throw new Refusal(
      'model_access_denied',
      `${whoForbids(access, model)} may not use the model '${model.slice(0, 200)}'.`,
      {
        param: 'model',
      },
    )
  const grantOf = (t: Target) => findAlias(snapshot, t.alias)?.grant
  const granted = usable.filter((t) => isGranted(access, grantOf(t)))
  const [closed] = usable
  const grant = closed && grantOf(closed)
  if (granted.length === 0 && grant !== undefined) throw needsGrant(access, model, grant)
  const found = granted.find((t) => t.price.kind !== 'unknown') ?? granted[0]
  const target = found ?? { ...first, alias: model, model, price: UNKNOWN }
  return { target, model: target.model }
}

const allowsAll = ({ lists }: Access, provider: string): boolean =>
  lists.every(({ models }) => models.some((m) => m === '*' || m === 'all-proxy-models' || m === `${provider}/*`))
