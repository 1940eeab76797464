/** `tollgate.sso`: identity providers by which people log in to the management (OpenID Connect). */
import { z } from 'zod'
import { ROLE_WORDS, readRole } from '../core/role.ts'
import { Secret } from '../secrets/secret.ts'
import type { Env } from './interpolate.ts'
import { text } from './words.ts'

const role = z
  .string()
  .refine((word) => readRole(word) !== undefined, `must be one of ${ROLE_WORDS.join(', ')}`)
  .refine(
    (word) => !['org_admin', 'team_admin'].includes(word),
    'is said by a membership (/organization/member_add, /team/member_add)',
  )

const PROVIDERS = ['google', 'microsoft', 'okta', 'keycloak', 'generic'] as const

/** Everybody in the world has an account there. */
const MANY = ['common', 'organizations', 'consumers']

const entry = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'must be made of small letters, digits and hyphens')
      .optional()
      .describe('What it is called in addresses: `/sso/start/{id}`. Default: `provider`.'),
    name: text('What people are shown. Default: `id`.').optional(),
    provider: z.enum(PROVIDERS).default('generic').describe('Whose it is: some things are known of these.'),
    issuer: z
      .url()
      .optional()
      .describe('Its issuer, as it calls itself; all else is found by discovery. Google and Microsoft have one.'),
    tenant: text('Of Microsoft: the directory. Default: `MICROSOFT_TENANT`.').optional(),
    client_id: text('Default: `GOOGLE_CLIENT_ID`, `MICROSOFT_CLIENT_ID` or `GENERIC_CLIENT_ID`.').optional(),
    client_secret: z
      .string()
      .min(1)
      .transform((value) => new Secret(value))
      .optional()
      .describe('Default: `GOOGLE_CLIENT_SECRET` and so on. A public client has none.'),
    scopes: z
      .array(z.string().min(1))
      .optional()
      .describe('Default: `openid email profile` (`GENERIC_SCOPE` of generic ones).'),
    allowed_domains: z
      .array(z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/i, 'must be a domain such as example.com'))
      .min(1)
      .optional()
      .describe('What addresses must end with. Default: `ALLOWED_EMAIL_DOMAINS`.'),
    groups_claim: z
      .string()
      .min(1)
      .default('groups')
      .describe('Claim with groups or roles. Dots lead into objects: `realm_access.roles`.'),
    roles: z
      .record(z.string(), role)
      .optional()
      .describe('Groups → roles here, set at each login: the highest. Whoever is in none of them has `default_role`.'),
    default_role: role
      .optional()
      .describe(
        'Of those in no group of `roles`. Default: they may not come in; without `roles`, those who are new are `internal_user_viewer`.',
      ),
    teams: z
      .record(z.string(), z.string().min(1))
      .optional()
      .describe(
        'Groups → teams: at each login somebody is put into those of his groups, and out of the others named here.',
      ),
    create_users: z
      .boolean()
      .optional()
      .describe(
        'Whether somebody who comes for the first time is made a user. Default: where `allowed_domains` or `roles` says who may come.',
      ),
    trust_email: z
      .boolean()
      .optional()
      .describe(
        'Whether its addresses count though it does not say that they were verified. Default: of Microsoft, whose directory is yours.',
      ),
    counts_as_mfa: z
      .boolean()
      .default(false)
      .describe(
        'Whether whoever comes from there has shown two factors. Without it that is believed of those of whom it says so (`amr`: `mfa`).',
      ),
  })
  .refine((s) => s.provider === 'google' || s.provider === 'microsoft' || s.issuer !== undefined, 'needs `issuer`')
  .refine(
    (s) => s.tenant === undefined || !MANY.includes(s.tenant),
    'must be your directory: an account of any other could bear any address',
  )
  .refine(
    (s) => s.create_users !== true || s.allowed_domains !== undefined || s.roles !== undefined,
    'needs `allowed_domains` or `roles` with `create_users`: else everybody who has an account there becomes a user here',
  )

export const sso = z
  .array(entry)
  .default([])
  .describe('Identity providers by which people log in (docs/admin.md). Models are called by `auth`.')

export interface SsoProvider {
  id: string
  name: string
  issuer: string
  clientId: string
  clientSecret: Secret | undefined
  scope: string
  /** In lower case. */
  domains: readonly string[] | undefined
  groupsClaim: string
  roles: Readonly<Record<string, string>> | undefined
  defaultRole: string | undefined
  teams: Readonly<Record<string, string>>
  createUsers: boolean
  trustEmail: boolean
  countsAsMfa: boolean
}

type Entry = z.output<typeof entry>

/** @returns the providers, and what is to be told the operator @param env LiteLLM's words */
export function ssoOf(said: readonly Entry[], env: Env): { providers: SsoProvider[]; warnings: string[] } {
  const warnings: string[] = []
  const has = (provider: Entry['provider']) => said.some((one) => one.provider === provider)
  const fromEnv = (['google', 'microsoft'] as const).flatMap((provider) =>
    env[`${provider.toUpperCase()}_CLIENT_ID`] && !has(provider) ? [entry.parse({ provider })] : [],
  )
  if (env.GENERIC_CLIENT_ID && !said.some((one) => !['google', 'microsoft'].includes(one.provider)))
    warnings.push(
      'GENERIC_CLIENT_ID has no effect without its issuer: write `tollgate.sso: [{ provider: generic, issuer: https://… }]`.',
    )
  const providers = [...said, ...fromEnv].flatMap((one) => {
    const found = providerOf(one, env)
    if (typeof found === 'string') warnings.push(found)
    return typeof found === 'string' ? [] : [found]
  })
  return { providers, warnings }
}

function providerOf(said: Entry, env: Env): SsoProvider | string {
  const { provider } = said
  const id = said.id ?? provider
  const words = provider === 'google' || provider === 'microsoft' ? provider.toUpperCase() : 'GENERIC'
  const clientId = said.client_id ?? env[`${words}_CLIENT_ID`]
  if (!clientId) return `tollgate.sso ${id} has no client_id, nor is there ${words}_CLIENT_ID: nobody logs in by it.`
  const secret = env[`${words}_CLIENT_SECRET`]
  const tenant = said.tenant ?? env.MICROSOFT_TENANT
  if (provider === 'microsoft' && !said.issuer && (!tenant || MANY.includes(tenant)))
    return `tollgate.sso ${id} has no tenant of its own (MICROSOFT_TENANT): nobody logs in by it.`
  const known = { google: 'https://accounts.google.com', microsoft: `https://login.microsoftonline.com/${tenant}/v2.0` }
  const issuer = said.issuer ?? (provider === 'google' || provider === 'microsoft' ? known[provider] : '')
  const domains = said.allowed_domains ?? env.ALLOWED_EMAIL_DOMAINS?.split(',').flatMap((one) => one.trim() || [])
  const scope = said.scopes?.join(' ') ?? (words === 'GENERIC' ? env.GENERIC_SCOPE : undefined)
  return {
    ...{ id, name: said.name ?? id, issuer, clientId },
    clientSecret: said.client_secret ?? (secret ? new Secret(secret) : undefined),
    scope: scope || 'openid email profile',
    domains: domains?.length ? domains.map((one) => one.toLowerCase()) : undefined,
    ...{ groupsClaim: said.groups_claim, roles: said.roles, defaultRole: said.default_role, teams: said.teams ?? {} },
    createUsers: said.create_users ?? (Boolean(domains?.length) || said.roles !== undefined),
    trustEmail: said.trust_email ?? provider === 'microsoft',
    countsAsMfa: said.counts_as_mfa,
  }
}
