/** `general_settings.litellm_jwtauth` in our words: what LiteLLM says of tokens becomes an entry of `tollgate.auth`. */
import { z } from 'zod'
import { readRole } from '../core/role.ts'
import type { AuthEntry, JwtSettings } from './auth.ts'
import type { Env } from './interpolate.ts'
import { text } from './words.ts'

const field = (of: string) => text(`Claim with ${of}.`).optional()
const role = z.string().refine((word) => readRole(word) !== undefined, 'must be a role of docs/access.md')

/** LiteLLM's names (docs.litellm.ai/docs/proxy/token_auth). */
export const litellmJwtAuth = z
  .strictObject({
    admin_jwt_scope: z
      .string()
      .min(1)
      .default('litellm_proxy_admin')
      .describe('A word in `scope` that makes a token a `proxy_admin`.'),
    user_id_jwt_field: field('the user').default('sub'),
    user_email_jwt_field: field('the address'),
    user_allowed_email_domain: text('What the address must end with.').optional(),
    user_roles_jwt_field: field('roles, which `jwt_litellm_role_map` translates'),
    team_id_jwt_field: field('the team'),
    team_ids_jwt_field: field('several teams: the first that exists here'),
    team_id_default: text('The team of those whose token names none.').optional(),
    org_id_jwt_field: field('the organisation'),
    end_user_id_jwt_field: field('the customer'),
    jwt_litellm_role_map: z
      .array(
        z.strictObject({
          jwt_role: text('What the token says.'),
          litellm_role: role.describe('A role of docs/access.md.'),
        }),
      )
      .optional()
      .describe('Roles of the token → roles here.'),
    user_id_upsert: z
      .boolean()
      .optional()
      .describe('Users need not be made here before they come in, whatever is said.'),
    team_id_upsert: z.boolean().optional().describe('Likewise teams, where one claim names them.'),
    public_key_ttl: z
      .number()
      .positive()
      .max(86_400)
      .optional()
      .describe('How long fetched keys are used, in seconds. Default: 600.'),
    public_key_stale_ttl: z
      .number()
      .positive()
      .max(86_400)
      .optional()
      .describe('How long when they can not be fetched, in seconds. Default: 3600.'),
  })
  .optional()
  .describe(
    "LiteLLM's words for `tollgate.auth: [api_key, jwt]`. The keys are at `JWT_PUBLIC_KEY_URL`; `JWT_AUDIENCE` and `JWT_ISSUER` are honoured.",
  )

type Said = NonNullable<z.output<typeof litellmJwtAuth>>

/** Keys as ever, then tokens: LiteLLM takes both. @param env has the addresses */
export function fromLiteLLM(said: Said, env: Env): AuthEntry[] {
  const urls = (env.JWT_PUBLIC_KEY_URL ?? '').split(',').flatMap((url) => url.trim() || [])
  const audience = env.JWT_AUDIENCE?.split(',').flatMap((one) => one.trim() || [])
  const map = (said.jwt_litellm_role_map ?? []).map((one) => [one.jwt_role, one.litellm_role] as const)
  const jwt: JwtSettings = {
    ...(urls.length > 0 ? { jwks: urls } : {}),
    ...(env.JWT_ISSUER ? { issuer: env.JWT_ISSUER } : {}),
    ...(audience?.length ? { audience } : {}),
    // LiteLLM asks for none unless the variable is set.
    any_audience: !audience?.length,
    clock_skew: 30,
    claims: {
      user: said.user_id_jwt_field,
      role: [said.user_roles_jwt_field, 'scope'].filter((one) => one !== undefined).join(' '),
      ...some('email', said.user_email_jwt_field),
      ...some('team', said.team_id_jwt_field),
      ...some('teams', said.team_ids_jwt_field),
      ...some('organization', said.org_id_jwt_field),
      ...some('customer', said.end_user_id_jwt_field),
    },
    roles: { ...Object.fromEntries(map), [said.admin_jwt_scope]: 'proxy_admin' },
    ...some('team_default', said.team_id_default),
    ...some('email_domain', said.user_allowed_email_domain),
    ...some('keys_for', said.public_key_ttl),
    ...some('keys_stale', said.public_key_stale_ttl),
  }
  return [{ api_key: {} }, { jwt }]
}

const some = <K extends string, T>(name: K, value: T | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [key in K]?: T }
