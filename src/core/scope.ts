/**
 * Who pays: an attempt is booked on every scope it belongs to. What a request brings (key, team, customer, …) is its
 * payer; what it is sent to (model, provider) comes from the target; the gateway pays always.
 */

/** All of a request's scopes that do not depend on the target. Undefined where it belongs to none. */
export interface Payer {
  key: string | undefined
  user: string | undefined
  team: string | undefined
  organization: string | undefined
  project: string | undefined
  customer: string | undefined
  /** Sorted, each once. */
  tags: readonly string[]
}

/** From the narrowest to the widest: a refusal names the first that stands in the way. `team:red` is a scope's name everywhere. */
export const SCOPE_KINDS = [
  'key',
  'customer',
  'user',
  'project',
  'team',
  'organization',
  'tag',
  'model',
  'provider',
  'gateway',
] as const

export type ScopeKind = (typeof SCOPE_KINDS)[number]

/** The scope of everything. */
export const GATEWAY = 'gateway'

/** The master key, which belongs to nobody. */
export const NOBODY: Payer = {
  ...{ key: undefined, user: undefined, team: undefined, organization: undefined },
  ...{ project: undefined, customer: undefined, tags: [] },
}

/** `{kind: 'team', id: 'red'}` of `team:red`; ids may hold colons. */
export function readScope(name: string): { kind: ScopeKind; id: string } {
  const colon = name.indexOf(':')
  return colon < 0 ? { kind: GATEWAY, id: '' } : { kind: name.slice(0, colon) as ScopeKind, id: name.slice(colon + 1) }
}

/** The names of a payer's scopes, narrowest first. */
export function scopesOfPayer(payer: Payer): string[] {
  const names: string[] = []
  for (const kind of ['key', 'customer', 'user', 'project', 'team', 'organization'] as const) {
    const id = payer[kind]
    if (id !== undefined) names.push(`${kind}:${id}`)
  }
  for (const tag of payer.tags) names.push(`tag:${tag}`)
  return names
}

/** The names of a target's scopes. */
export const scopesOfTarget = (target: { alias: string; provider: string }): string[] => [
  `model:${target.alias}`,
  `provider:${target.provider}`,
]

/** In words, for a sentence: "team 'red'". */
export function spokenScope(name: string): string {
  const { kind, id } = readScope(name)
  if (kind === 'gateway') return 'the whole gateway'
  return kind === 'key' ? 'this key' : `${kind} '${id}'`
}
