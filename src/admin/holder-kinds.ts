/** Organisations, teams, projects, users, customers, tags, models and providers: what their routes are called and take. */
import { z } from 'zod'
import type { HolderKind } from '../core/holder.ts'
import { ROLE_WORDS, readRole } from '../core/role.ts'
import { aliases, duration, GUARD_WORDS, guards, limits, metadata, models, name, tags, terms } from './fields.ts'

export interface HolderForm {
  kind: HolderKind
  /** Where its routes begin. The later ones are older names of it. */
  bases: readonly string[]
  /** The field that names it. */
  id: string
  /** The field with its name for people. */
  alias?: string
  /** Its id is made here where none is given. */
  makesIds: boolean
  /** What /new and /update take beside the id. */
  fields: z.ZodRawShape
  /** What /new takes besides: of the key that is made along with it. */
  ofKey?: z.ZodRawShape
  /** What its members are called, and what /new takes of them. */
  members?: string
  /** The list (or, of tags, the one) that /delete and /block take. */
  many: string
  /** The parameter of /info; undefined: /info is a POST that takes `names`. */
  asked?: string
  /** `PATCH` and `DELETE` where LiteLLM has them so, else POST. */
  update: 'POST' | 'PATCH'
  remove: 'POST' | 'DELETE'
  /** Its terms stand in `litellm_budget_table` as well. */
  hasTable: boolean
}

/** Fields that stand in the metadata, where LiteLLM keeps them, and are told beside it. */
export const DETAILS = ['tags', 'description', 'user_email', 'model_aliases', ...GUARD_WORDS] as const

const about = z.string().max(2_000).nullish()
const alias = z.string().max(256).nullish()
const parent = z.string().max(256).nullish()
/** What somebody is by himself. What he administers is said by the membership. */
const userRole = z
  .string()
  .refine((word) => readRole(word) !== undefined, `must be one of ${ROLE_WORDS.join(', ')}`)
  .refine(
    (word) => !['org_admin', 'team_admin'].includes(word),
    "is no role of a user by himself: add him with /organization/member_add (role 'org_admin') or /team/member_add (role 'admin')",
  )
  .nullish()
const common = { ...terms, ...limits, models, metadata, blocked: z.boolean().nullish() }
const POSTS = { update: 'POST', remove: 'POST' } as const

export const HOLDER_FORMS: readonly HolderForm[] = [
  {
    ...{ kind: 'team', bases: ['/team'], id: 'team_id', alias: 'team_alias', makesIds: true, hasTable: false },
    fields: { ...common, ...guards, team_alias: alias, organization_id: parent, tags, model_aliases: aliases },
    members: 'members_with_roles',
    ...{ many: 'team_ids', asked: 'team_id', ...POSTS },
  },
  {
    ...{ kind: 'user', bases: ['/user'], id: 'user_id', alias: 'user_alias', makesIds: true, hasTable: false },
    fields: { ...common, user_alias: alias, user_email: alias, organization_id: parent, user_role: userRole },
    ofKey: { auto_create_key: z.boolean().nullish(), key_alias: alias, duration: duration.nullish(), team_id: parent },
    ...{ many: 'user_ids', asked: 'user_id', ...POSTS },
  },
  {
    ...{ kind: 'customer', bases: ['/customer', '/end_user'], id: 'user_id', alias: 'alias', makesIds: false },
    fields: { ...common, alias },
    ...{ many: 'user_ids', asked: 'end_user_id', ...POSTS, hasTable: true },
  },
  {
    ...{ kind: 'organization', bases: ['/organization'], id: 'organization_id', alias: 'organization_alias' },
    fields: { ...common, organization_alias: alias, tags },
    members: 'members',
    ...{ many: 'organization_ids', asked: 'organization_id', update: 'PATCH', remove: 'DELETE' },
    ...{ makesIds: true, hasTable: true },
  },
  {
    ...{ kind: 'project', bases: ['/project'], id: 'project_id', alias: 'project_alias', makesIds: true },
    fields: { ...common, ...guards, project_alias: alias, description: about, team_id: parent, tags },
    ...{ many: 'project_ids', asked: 'project_id', update: 'POST', remove: 'DELETE', hasTable: true },
  },
  {
    ...{ kind: 'tag', bases: ['/tag'], id: 'name', makesIds: false },
    fields: { ...terms, ...limits, description: about },
    ...{ many: 'name', ...POSTS, hasTable: true },
  },
  {
    ...{ kind: 'model', bases: ['/model/budget'], id: 'model', makesIds: false },
    fields: terms,
    ...{ many: 'models', asked: 'model', ...POSTS, hasTable: false },
  },
  {
    ...{ kind: 'provider', bases: ['/provider/budget'], id: 'provider', makesIds: false },
    fields: terms,
    ...{ many: 'providers', asked: 'provider', ...POSTS, hasTable: false },
  },
]

/** An id, in the length that a request may have one of this kind. */
export const idOf = (kind: HolderKind) => name(kind === 'tag' ? 128 : 256)
