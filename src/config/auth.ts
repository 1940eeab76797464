/** `tollgate.auth`: who may come in, and how he says who he is. And what stands around it: proxies, addresses, attempts. */
import { z } from 'zod'
import { isRange } from '../core/range.ts'
import { ROLE_WORDS, readRole } from '../core/role.ts'
import { Secret } from '../secrets/secret.ts'
import { seconds, text } from './words.ts'

const header = (description: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header: letters, digits and hyphens')
    .describe(description)

/** An address, or a range of them as `10.0.0.0/8`. */
export const range = z.string().refine(isRange, 'must be an address or a range such as 10.0.0.0/8 or fd00::/8')
export const ranges = (description: string) => z.array(range).min(1).max(10_000).describe(description)

const role = z.string().refine((word) => readRole(word) !== undefined, `must be one of ${ROLE_WORDS.join(', ')}`)

/** What somebody is who comes in without a key of this gateway's. */
const identity = {
  user: text('The user that it is booked on.').optional(),
  team: text('The team that it is booked on.').optional(),
  organization: text('The organisation that it is booked on.').optional(),
  project: text('The project that it is booked on.').optional(),
  role: role
    .optional()
    .describe(
      `Role (docs/access.md): one of ${ROLE_WORDS.join(', ')}. Default: that of the user here, else \`customer\`.`,
    ),
  models: z
    .array(z.string().min(1))
    .max(1_000)
    .optional()
    .describe('Aliases and patterns that they may call; none: all.'),
  tags: z.array(z.string().min(1).max(128)).max(10).optional().describe('Tags on every request.'),
  rpm_limit: z.number().int().min(0).optional().describe('Requests in any 60 seconds.'),
  tpm_limit: z.number().int().min(0).optional().describe('Tokens in any 60 seconds.'),
  max_parallel_requests: z.number().int().min(0).optional().describe('Requests at one time.'),
}
const as = z.strictObject(identity).optional().describe('What they are who come in this way.')

const apiKey = z
  .strictObject({
    header: header('A header of your own choosing that carries the key, beside the usual ones.').optional(),
    file: text(
      'A file with keys of your own, one in a line: `sk-… name user=ada team=red role=write models=a,b`. Read anew when it changes.',
    ).optional(),
  })
  .optional()
  .describe('The master key, virtual keys, and keys from a file.')

const basic = z
  .strictObject({
    htpasswd: text(
      'A file of `user:hash` lines (argon2, bcrypt, apr1, SHA), as `tollgate auth htpasswd` and `htpasswd` write them. Read anew when it changes.',
    ),
    realm: z
      .string()
      .min(1)
      .max(100)
      .regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, 'must be plain text without quotes')
      .default('tollgate')
      .describe('What browsers show.'),
    users: z.record(z.string(), z.strictObject(identity)).optional().describe('What single users are, by their names.'),
    as,
  })
  .optional()
  .describe('A name and a password, checked against an htpasswd file.')

const path = (description: string) => text(description).optional()
const claims = z
  .strictObject({
    user: z
      .string()
      .min(1)
      .default('sub')
      .describe('Claim with the user. Dots lead into objects: `realm_access.roles`.'),
    email: path('Claim with the address.'),
    team: path('Claim with the team.'),
    teams: path('Claim with several teams: the first that exists here.'),
    organization: path('Claim with the organisation.'),
    project: path('Claim with the project.'),
    customer: path('Claim with the customer that it is booked on.'),
    role: path('Claim with roles or groups, which `roles` translates. `scope` is read word by word.'),
    models: path('Claim with a list of models.'),
    tags: path('Claim with a list of tags.'),
    rpm_limit: path('Claim with requests a minute.'),
    tpm_limit: path('Claim with tokens a minute.'),
  })
  .prefault({})
  .describe('Which claims say what.')

const jwt = z
  .strictObject({
    issuer: text(
      'Who must have issued the token (`iss`). Its keys are found by OpenID Connect where `jwks` is not given.',
    ).optional(),
    jwks: z
      .union([z.url(), z.array(z.url()).min(1)])
      .optional()
      .describe('Where the keys are: addresses of key sets, or of discovery documents.'),
    secret: z
      .string()
      .min(32)
      .transform((value) => new Secret(value))
      .optional()
      .describe('For HS256, HS384 and HS512 alone: the secret, 32 characters at least. No key set is used then.'),
    audience: z
      .union([text('One.'), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe('Whom the token must be for (`aud`).'),
    any_audience: z
      .boolean()
      .default(false)
      .describe('Tokens for anybody are taken. Without this, `audience` has to be said.'),
    algorithms: z
      .array(
        z.enum([
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
          'Ed25519',
          'HS256',
          'HS384',
          'HS512',
        ]),
      )
      .min(1)
      .optional()
      .describe('What it may be signed with. Default: all with public keys; with `secret`, those with a secret.'),
    clock_skew: z.number().min(0).max(600).default(30).describe('How far clocks may be apart, in seconds.'),
    header: header('A header that carries it, beside `Authorization: Bearer`.').optional(),
    claims,
    roles: z
      .record(z.string(), role)
      .optional()
      .describe('Values of the claim `role` → roles here. The highest that fits; others count for nothing.'),
    team_default: text('The team of those whose token names none.').optional(),
    require: z
      .record(z.string(), z.union([z.string(), z.boolean(), z.number(), z.array(z.string())]))
      .optional()
      .describe('Claims that have to have a value (or one of several).'),
    email_domain: text(
      'What the address must end with, behind the @; it has to be verified, where the token says so.',
    ).optional(),
    keys_for: seconds('How long fetched keys are used before they are asked for again', '600'),
    keys_stale: seconds('How long they are used when they can not be fetched', '3600'),
    as,
  })
  .optional()
  .describe('A JSON Web Token of an identity provider (OpenID Connect).')

const mtls = z
  .strictObject({
    header: header(
      'Header with the certificate as PEM, URL-encoded (nginx: `$ssl_client_escaped_cert`), from a trusted proxy. Without any, that of the connection itself.',
    ).optional(),
    subject_header: header(
      'Header with the subject alone, where the proxy sends no certificate (nginx: `$ssl_client_s_dn`).',
    ).optional(),
    verify_header: header(
      'Header that must say SUCCESS (nginx: `$ssl_client_verify`). Has to be given with `subject_header`.',
    ).optional(),
    ca: text('A file with the authorities that a certificate from a header must be signed by.').optional(),
    user: z
      .enum(['cn', 'email', 'dns', 'uri', 'subject'])
      .default('cn')
      .describe('What of the certificate is the user.'),
    allow: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Users that may come in; `*` stands for any run of characters. Default: all.'),
    users: z.record(z.string(), z.strictObject(identity)).optional().describe('What single users are, by their names.'),
    as,
  })
  .optional()
  .describe("The client's certificate.")

const ip = z
  .strictObject({
    allow: ranges('Addresses and ranges that may come in.'),
    deny: ranges('Those among them that may not.').optional(),
    as: as.describe('What they are who come from there. Needed where nothing else says who it is.'),
  })
  .optional()
  .describe('The address that a request comes from.')

const check = z
  .strictObject({
    url: z
      .url()
      .describe(
        'Is asked by GET, as nginx does it with `auth_request`: 2xx lets in, 401 and 403 do not, all else is an error.',
      ),
    headers: z
      .array(header('One.'))
      .min(1)
      .max(50)
      .default(['Authorization', 'Cookie'])
      .describe('Headers of the request that are passed on. With none of them there, nobody is asked.'),
    request: z
      .boolean()
      .default(false)
      .describe(
        'Method, path and address are passed on, too (`X-Original-Method`, `X-Original-URI`, `X-Forwarded-For`); each is then judged by itself.',
      ),
    timeout: seconds('How long it may take', '5'),
    cache: z
      .number()
      .min(0)
      .max(3600)
      .default(0)
      .describe('How long an answer that lets in holds for the same headers, in seconds. 0: it is asked each time.'),
    user_header: header('Header of its answer with the user.').default('X-Auth-User'),
    team_header: header('Header of its answer with the team.').default('X-Auth-Team'),
    organization_header: header('Header of its answer with the organisation.').default('X-Auth-Organization'),
    role_header: header('Header of its answer with the role.').optional(),
    as,
  })
  .optional()
  .describe('An outside service that decides.')

const leaf = { api_key: apiKey, basic, jwt, mtls, ip, check }
type Leaf = keyof typeof leaf

const one = <T extends z.ZodRawShape>(shape: T) =>
  z
    .strictObject(shape)
    .refine(
      (said) => Object.values(said).filter((value) => value !== undefined).length === 1,
      `must be exactly one of ${Object.keys(shape).join(', ')}. Write \`api_key: {}\` for keys`,
    )
const inner = one({ ...leaf, any: z.array(one(leaf)).min(1).optional().describe('One of these.') })
const entry = one({
  ...leaf,
  all: z.array(inner).min(1).optional().describe('Each of these. Who it is is said by the first that knows.'),
  any: z.array(inner).min(1).optional().describe('One of these, tried in order.'),
})

export const authSettings = {
  auth: z
    .array(entry)
    .min(1)
    .optional()
    .describe(
      'How callers say who they are, tried in order; the first that fits lets them in (docs/auth.md). Default: API keys.',
    ),
  trusted_proxies: ranges(
    'Proxies in front of this gateway. From them alone are `X-Forwarded-For` and headers with certificates believed.',
  ).optional(),
  allow_from: z
    .strictObject({
      all: ranges('Where all requests must come from, whatever they are for; health routes are open.').optional(),
      models: ranges('Where requests to models must come from.').optional(),
      manage: ranges('Where all other requests must come from: keys, teams, spend.').optional(),
    })
    .optional()
    .describe(
      'Addresses and ranges that may ask at all, by what they ask for. `general_settings.allowed_ips` is the same as `all`.',
    ),
  auth_attempts: z
    .strictObject({
      free: z
        .number()
        .int()
        .min(1)
        .max(1_000)
        .default(10)
        .describe('Failed attempts that cost nothing, of an address and of an account.'),
      window: z
        .number()
        .positive()
        .max(86_400)
        .default(60)
        .describe('How long a failure is remembered after the last one, in seconds.'),
      wait: z
        .number()
        .positive()
        .max(3_600)
        .default(1)
        .describe('How long to wait after the next one, in seconds; each further one doubles it.'),
      longest: z.number().positive().max(86_400).default(300).describe('The longest wait, in seconds.'),
    })
    .prefault({})
    .describe('What becomes of those who fail to come in.'),
}

export type AuthEntry = z.output<typeof entry>
export type AuthLeaf = Pick<AuthEntry, Leaf>
export type AuthInner = z.output<typeof inner>
export type SaidIdentity = z.output<z.ZodObject<typeof identity>>
export type BasicSettings = NonNullable<AuthLeaf['basic']>
export type JwtSettings = NonNullable<AuthLeaf['jwt']>
export type MtlsSettings = NonNullable<AuthLeaf['mtls']>
export type IpSettings = NonNullable<AuthLeaf['ip']>
export type CheckSettings = NonNullable<AuthLeaf['check']>
export type KeySettings = NonNullable<AuthLeaf['api_key']>
