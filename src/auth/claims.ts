/** What a token's claims say of its holder. Pure. */
import type { JwtSettings, SaidIdentity } from '../config/auth.ts'
import { isAbove, type Role, readRole } from '../core/role.ts'
import type { Identity } from './badges.ts'
import { factsOf } from './said.ts'

type Claims = Readonly<Record<string, unknown>>

/** A list of claims is somebody else's to write. */
const MOST = 1_000

/** `realm_access.roles`; a claim of this very name (`https://example.com/roles`) comes first. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let at: unknown = claims
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Claims)[part]
  }
  return at
}

const textAt = (claims: Claims, path: string | undefined): string | undefined => {
  const value = path === undefined ? undefined : claimAt(claims, path)
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' && value.length <= 256 ? value : undefined
}

const listAt = (claims: Claims, path: string | undefined): string[] | undefined => {
  const value = path === undefined ? undefined : claimAt(claims, path)
  const list = typeof value === 'string' ? value.split(' ') : value
  if (!Array.isArray(list)) return undefined
  return list.slice(0, MOST).filter((one): one is string => typeof one === 'string' && one !== '')
}

const countAt = (claims: Claims, path: string | undefined): number | undefined => {
  const value = path === undefined ? undefined : claimAt(claims, path)
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined
}

/** @param hasTeam whether there is a team of this id @returns what is wrong, where somebody may not come in */
export function readClaims(
  claims: Claims,
  said: JwtSettings,
  hasTeam: (id: string) => boolean,
): Omit<Identity, 'way' | 'name'> | string {
  const { claims: where, as } = said
  for (const [path, wanted] of Object.entries(said.require ?? {})) {
    const has = claimAt(claims, path)
    const list = Array.isArray(has) ? has : typeof has === 'string' ? [has, ...has.split(' ')] : [has]
    if (!(Array.isArray(wanted) ? wanted : [wanted]).some((one) => list.includes(one)))
      return `The token's claim '${path}' is not what this gateway asks for.`
  }
  if (said.email_domain !== undefined) {
    const email = textAt(claims, where.email ?? 'email')
    const isTheirs = email?.toLowerCase().endsWith(`@${said.email_domain.toLowerCase().replace(/^@/, '')}`) === true
    if (!isTheirs || claims.email_verified === false)
      return "The token's address is not of a domain that this gateway lets in."
  }
  const user = textAt(claims, where.user)
  if (user === undefined) return `The token has no claim '${where.user}' that names its user.`
  const teams = listAt(claims, where.teams)
  const facts: SaidIdentity = {
    user,
    ...some('team', textAt(claims, where.team) ?? teams?.find(hasTeam) ?? said.team_default),
    ...some('organization', textAt(claims, where.organization)),
    ...some('project', textAt(claims, where.project)),
    ...some('role', roleIn(claims, said)),
    ...some('models', listAt(claims, where.models)),
    ...some('tags', listAt(claims, where.tags)?.slice(0, 10)),
    ...some('rpm_limit', countAt(claims, where.rpm_limit)),
    ...some('tpm_limit', countAt(claims, where.tpm_limit)),
  }
  return { ...factsOf(as, facts), ...some('customer', textAt(claims, where.customer)) }
}

/** The highest that a value of the claims amounts to. A word that `roles` does not have is no role here, whatever it is there. */
function roleIn(claims: Claims, { claims: where, roles = {} }: JwtSettings): Role | undefined {
  const values = (where.role ?? '').split(' ').flatMap((path) => (path === '' ? [] : (listAt(claims, path) ?? [])))
  const found = values.flatMap((value) => {
    const role = Object.hasOwn(roles, value) ? readRole(roles[value] as string) : undefined
    return role ? [role] : []
  })
  return found.length === 0 ? undefined : found.reduce((a, b) => (isAbove(b, a) ? b : a))
}

const some = <K extends string, T>(name: K, value: T | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [key in K]?: T }
