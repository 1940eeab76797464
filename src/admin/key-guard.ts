/** What somebody who is not the operator may make of a key: nothing that costs others, nothing that reaches farther than he. */
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import type { Payer } from '../core/scope.ts'
import { GUARD_WORDS, isEmpty } from './fields.ts'
import type { NewKey } from './keyring.ts'
import type { Reach } from './reach.ts'
import type { Register } from './register.ts'

type Fields = Readonly<Record<string, unknown>>

/** Done with the operator's money or credentials. */
const OPERATORS = ['pricing', 'allowed_passthrough_routes']
/** Words in the metadata that the gateway goes by. */
const OPERATORS_METADATA = ['allowed_passthrough_routes', 'priority', 'data_class']

/** A key is its maker's where nobody else is named. */
export function withOwner(reach: Reach, body: Fields): Fields {
  if (reach.isAll || !isEmpty(body.user_id) || !isEmpty(body.team_id)) return body
  return { ...body, user_id: reach.who.userId }
}

/** @param before what a change changes @throws Refusal forbidden */
export function guardFields(reach: Reach, said: Fields, before: Key | undefined, register: Register): void {
  if (reach.isAll) return
  guardNames(reach, said, before, register)
  for (const field of OPERATORS) if (!isEmpty(said[field])) throw onlyOperator(field)
  const metadata = (said.metadata ?? {}) as Fields
  for (const word of OPERATORS_METADATA)
    if (metadata[word] !== undefined && !Bun.deepEquals(metadata[word], before?.metadata[word]))
      throw onlyOperator(`metadata.${word}`)
  const { team_id: team = before?.teamId } = said
  const rulesTeam = typeof team === 'string' && reach.rulesTeam(team) && (!before || reach.rulesTeam(before.teamId))
  for (const word of GUARD_WORDS) {
    const value = said[word] === undefined ? metadata[word] : said[word]
    if (value !== undefined && !rulesTeam && !Bun.deepEquals(value ?? undefined, before?.metadata[word]))
      throw new Refusal(
        'forbidden',
        `${word}: which guardrails look at a key's requests is said by the operator or by an administrator of its team.`,
        { param: word },
      )
  }
  const isAdministrators = before ? reach.rulesTeam(before.teamId) : true
  if (!isAdministrators && (before?.blocked || said.blocked !== undefined))
    throw new Refusal(
      'forbidden',
      'Whether a key is blocked is said by the operator or by an administrator of its team.',
      { param: 'blocked' },
    )
}

const onlyOperator = (field: string): Refusal =>
  new Refusal('forbidden', `${field}: only the operator of this gateway may set this.`, { param: field })

/** What the operator said in the metadata stays there, whoever writes it anew. */
export function keptMetadata(reach: Reach, after: NewKey['metadata'], before: Key | undefined): NewKey['metadata'] {
  if (reach.isAll || !before) return after
  const words = reach.rulesTeam(before.teamId) ? OPERATORS_METADATA : [...OPERATORS_METADATA, ...GUARD_WORDS]
  const kept = words.filter((word) => before.metadata[word] !== undefined)
  return { ...after, ...Object.fromEntries(kept.map((word) => [word, before.metadata[word]])) }
}

/** What is named has to be his, before anything is said about it: whether it is there, and whose it is. */
function guardNames(reach: Reach, said: Fields, before: Key | undefined, register: Register): void {
  const { team_id: team = before?.teamId, organization_id: organization, project_id: project } = said
  const isNew = (id: unknown, old: string | undefined): id is string =>
    typeof id === 'string' && id !== '' && id !== old
  if (isNew(organization, before?.organizationId)) {
    const ofTeam = typeof team === 'string' && reach.rulesTeam(team) && register.holder('team', team)?.organizationId
    const isHis = organization === ofTeam || reach.rulesOrganization(organization)
    reach.need(isHis, `The organisation '${organization}'`, 'organization_id')
  }
  if (isNew(project, before?.projectId)) {
    const isHis = reach.rulesTeam(register.holder('project', project)?.teamId)
    reach.need(isHis, `The project '${project}'`, 'project_id')
  }
}

const listOf = (one: string | undefined): readonly string[] | undefined => (one === undefined ? undefined : [one])

/** Who is bound makes nothing that is not: else a key for one route would make one for all. @throws Refusal forbidden */
function guardBounds({ who: { key } }: Reach, after: NewKey): void {
  if (!key) return
  for (const [field, own, others] of [
    ['allowed_routes', key.allowedRoutes, after.allowedRoutes],
    ['allowed_ips', key.allowedIps, after.allowedIps],
    ['environment', listOf(key.environment), listOf(after.environment)],
  ] as const)
    if (own && !others?.every((one) => own.includes(one)))
      throw new Refusal(
        'forbidden',
        `${field}: this key is bound to ${own.slice(0, 10).join(', ')}, and may make and change keys only that are, too.`,
        { param: field },
      )
}

interface House {
  payerOf(key: Key): Payer
}

/** Where a key may belong. @throws Refusal forbidden */
export function guardKey(reach: Reach, after: NewKey, before: Key | undefined, house: House): void {
  guardBounds(reach, after)
  if (reach.isAll) return
  const was = before ? house.payerOf(before) : undefined
  const is = house.payerOf({ ...after, id: '', hint: '', createdAt: 0, updatedAt: 0 })
  const { who } = reach
  const isOwn = after.userId !== undefined && after.userId === who.userId
  const rulesIt = reach.rulesTeam(is.team) || reach.rulesOrganization(is.organization)
  if (after.userId !== undefined && !isOwn)
    reach.need(
      reach.rulesUser(after.userId) && reach.outranks(after.userId),
      `A key of the user '${after.userId}'`,
      'user_id',
    )
  if (!(was && is.team === was.team))
    // Whatever organisation the key says it is of: its team pays.
    reach.need(is.team === undefined || reach.rulesTeam(is.team), `A key of the team '${is.team}'`, 'team_id')
  if (is.team === undefined && !rulesIt && !(isOwn && who.ownKeys))
    throw new Refusal(
      'forbidden',
      isOwn
        ? 'Your role does not let you make keys of your own. Name a team that you administer (team_id), or ask the operator.'
        : 'A key has to be your own (user_id), or of a team that you administer (team_id).',
      { param: isOwn ? 'team_id' : 'user_id' },
    )
}
