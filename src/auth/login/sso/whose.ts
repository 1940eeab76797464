/** Whom the claims of an identity provider mean here, and what he becomes by them. */
import type { Register } from '../../../admin/register.ts'
import type { SsoProvider } from '../../../config/sso.ts'
import type { Holder } from '../../../core/holder.ts'
import { Refusal } from '../../../core/refusal.ts'
import { isAbove, type Role, readRole } from '../../../core/role.ts'
import { claimAt } from '../../claims.ts'
import type { LoginShelf } from '../accounts.ts'

type Claims = Readonly<Record<string, unknown>>

export interface WhoseHouse {
  register: Pick<Register, 'holder' | 'holders' | 'put' | 'member' | 'putMember' | 'removeMember'>
  shelf: Pick<LoginShelf, 'identity' | 'linkIdentity'>
  now(): number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
}

const MOST_GROUPS = 1_000

/** @returns the user's id @throws Refusal forbidden, with what the operator can change */
export function whose(claims: Claims, provider: SsoProvider, house: WhoseHouse): string {
  const { register, shelf, now, info } = house
  const subject = String(claims.sub)
  const email = addressIn(claims, provider)
  const groups = groupsIn(claims, provider)
  const role = roleFor(groups, provider)
  const linked = shelf.identity(provider.issuer, subject)
  let user = (linked === undefined ? undefined : register.holder('user', linked)) ?? byAddress(email, register)
  if (!user) {
    if (!provider.createUsers)
      throw new Refusal('forbidden', `There is no user with the address ${email} here. Ask whoever administers it.`)
    // Somebody may have this very id and another address.
    if (register.holder('user', email))
      throw new Refusal('forbidden', `The user ${email} has another address here. Ask whoever administers it.`)
    user = made(email, role, now())
    register.put(user)
    info('A user was made at his first login by SSO.', { user: user.id, provider: provider.id })
  }
  if (user.blocked) throw new Refusal('forbidden', 'This user is blocked. Ask whoever administers it.')
  if (linked !== user.id) shelf.linkIdentity(provider.issuer, subject, user.id, now())
  if (role !== undefined && provider.roles && user.role !== role) {
    register.put({ ...user, role, updatedAt: now() })
    info('A role was set by SSO.', { user: user.id, provider: provider.id, role })
  }
  setTeams(user.id, groups, provider, house)
  return user.id
}

function addressIn(claims: Claims, { domains, trustEmail, name }: SsoProvider): string {
  const said = claims.email ?? (trustEmail ? claims.preferred_username : undefined)
  const email = typeof said === 'string' ? said.toLowerCase() : ''
  if (!/^[^\s@\x00-\x1f\x7f]{1,64}@[a-z0-9.-]{1,190}$/.test(email))
    throw new Refusal('forbidden', `${name} tells no address of you. Its scope \`email\` may be missing.`)
  // What is not verified anybody could have written there, and be somebody else here.
  if (
    claims.email_verified !== true &&
    claims.email_verified !== 'true' &&
    !(trustEmail && claims.email_verified === undefined)
  )
    throw new Refusal('forbidden', `${name} has not verified your address. Verify it there, and begin anew.`)
  if (domains && !domains.includes(email.slice(email.lastIndexOf('@') + 1)))
    throw new Refusal('forbidden', 'Your address is not of a domain that may log in here.')
  return email
}

function groupsIn(claims: Claims, { groupsClaim }: SsoProvider): readonly string[] {
  const said = claimAt(claims, groupsClaim)
  const list = Array.isArray(said) ? said : [said]
  return list.slice(0, MOST_GROUPS).filter((one): one is string => typeof one === 'string')
}

/** undefined: nothing is said of it. */
function roleFor(groups: readonly string[], { roles, defaultRole }: SsoProvider): Role | undefined {
  const usual = defaultRole === undefined ? undefined : readRole(defaultRole)
  if (!roles) return usual
  const his = groups.flatMap((group) => (Object.hasOwn(roles, group) ? (readRole(roles[group] as string) ?? []) : []))
  const highest = his.reduce<Role | undefined>((a, b) => (a === undefined || isAbove(b, a) ? b : a), undefined)
  const role = highest ?? usual
  if (role === undefined)
    throw new Refusal('forbidden', 'None of your groups has a role here. Ask whoever administers it.')
  return role
}

function byAddress(email: string, register: WhoseHouse['register']): Holder | undefined {
  const his = register
    .holders('user')
    .filter(({ id, metadata }) => String(metadata.user_email ?? id).toLowerCase() === email)
  if (his.length > 1)
    throw new Refusal('forbidden', 'Several users have your address here. Ask whoever administers it.')
  return his[0]
}

const made = (email: string, role: Role | undefined, at: number): Holder => ({
  ...{ kind: 'user', id: email, role: role ?? 'internal_user_viewer', models: [], limits: {}, blocked: false },
  ...{ metadata: { user_email: email }, createdAt: at, updatedAt: at },
})

/** Into the teams of his groups, out of the others that groups stand for. An administrator of one stays one. */
function setTeams(
  userId: string,
  groups: readonly string[],
  { teams }: SsoProvider,
  { register, now }: WhoseHouse,
): void {
  const his = new Set(groups.flatMap((group) => (Object.hasOwn(teams, group) ? [teams[group] as string] : [])))
  for (const id of new Set(Object.values(teams))) {
    const member = register.member('team', id, userId)
    if (his.has(id) && !member && register.holder('team', id))
      register.putMember({ kind: 'team', id, userId, role: 'user', createdAt: now() })
    if (!his.has(id) && member) register.removeMember(member)
  }
}
