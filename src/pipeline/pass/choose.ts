/** Which target of a provider a passed-through request is for, whether this caller may ask it, and at what price. Pure. */
import { allows, type Principal } from '../../core/key.ts'
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
 * @throws Refusal not_found, model_access_denied
 */
export function chooseTarget(
  snapshot: Snapshot,
  who: Principal,
  provider: string,
  model: string | undefined,
  writes: boolean,
): Chosen {
  const targets = targetsOf(snapshot, provider)
  const [first] = targets
  if (!first) throw new Refusal('not_found', `There is no target of ${provider} configured here.`)
  const mayUse = (name: string) => who.role === 'admin' || allows(who.key.models, name)
  if (model === undefined) {
    // Anything may be meant: only who may use anything of this provider may ask so.
    if (!allowsAll(who, provider))
      throw new Refusal(
        'model_access_denied',
        `This API key is for certain models, and the request names none. It would need all of '${provider}/*'.`,
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
    throw new Refusal('model_access_denied', `This API key may not use the model '${model.slice(0, 200)}'.`, {
      param: 'model',
    })
  const found = usable.find((t) => t.price.kind !== 'unknown') ?? usable[0]
  const target = found ?? { ...first, alias: model, model, price: UNKNOWN }
  return { target, model: target.model }
}

const allowsAll = (who: Principal, provider: string): boolean =>
  who.role === 'admin' ||
  who.key.models.length === 0 ||
  who.key.models.some((m) => m === '*' || m === 'all-proxy-models' || m === `${provider}/*`)
