/**
 * Whose requests AWS takes: an access key, or temporary credentials that AWS's own library finds, fetches and renews
 * (profiles, roles, web identity, containers, instances).
 */
import { existsSync, readFileSync } from 'node:fs'
import type { UpstreamFailure } from '../core/failure.ts'
import type { Secret } from '../secrets/secret.ts'
import { noToken, tokenFor } from './token.ts'

/** LiteLLM's words for it. */
export interface AwsIdentity {
  aws_access_key_id?: string | undefined
  aws_secret_access_key?: Secret | undefined
  aws_session_token?: Secret | undefined
  aws_region_name?: string | undefined
  aws_profile_name?: string | undefined
  aws_role_name?: string | undefined
  aws_session_name?: string | undefined
  aws_external_id?: Secret | undefined
  aws_web_identity_token?: Secret | undefined
  aws_sts_endpoint?: string | undefined
}

export interface AwsCredentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

type Library = typeof import('@aws-sdk/credential-providers')
type Source = ReturnType<Library['fromNodeProviderChain']>

const NAMES = [
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'aws_region_name',
  'aws_profile_name',
  'aws_role_name',
  'aws_session_name',
  'aws_external_id',
  'aws_web_identity_token',
  'aws_sts_endpoint',
] as const satisfies readonly (keyof AwsIdentity)[]

/** A role is asked for an hour, the most that a role assumed by a role may have. */
const ROLE_SECONDS = 3_600
/** Credentials that do not say when they end are looked at again after this long. */
const UNDATED_MS = 3_600_000
const SESSION = 'tollgate'

/** The key that stands there; undefined where anything has to be found or fetched. */
function keyOf(s: AwsIdentity): AwsCredentials | undefined {
  if (!s.aws_access_key_id || !s.aws_secret_access_key) return undefined
  const sessionToken = s.aws_session_token?.reveal()
  return {
    accessKeyId: s.aws_access_key_id,
    secretAccessKey: s.aws_secret_access_key.reveal(),
    ...(sessionToken ? { sessionToken } : {}),
  }
}

/**
 * The credentials of one request: at once where they stand in the configuration, else those that were fetched, which are
 * kept until shortly before they end and renewed once for all who wait.
 * @throws UpstreamFailure auth
 */
export async function awsCredentials(s: AwsIdentity): Promise<AwsCredentials> {
  const key = keyOf(s)
  if (key && !s.aws_profile_name && !s.aws_role_name) return key
  const said = NAMES.map((name) => [name, s[name]] as const).map(([name, value]) => [
    name,
    value && typeof value === 'object' ? value.reveal() : value,
  ])
  const name = s.aws_role_name ?? s.aws_profile_name ?? 'its own chain'
  const text = await tokenFor(`aws ${name} ${Bun.hash(JSON.stringify(said))}`, async () => {
    // Loaded where it is needed: every start would be 40 ms longer.
    const library = await import('@aws-sdk/credential-providers')
    const found = await sourceFor(library, s, key)().catch((cause: unknown) => {
      throw refusal(cause, s)
    })
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = found
    return {
      text: JSON.stringify({ accessKeyId, secretAccessKey, sessionToken }),
      lifeMs: expiration ? expiration.getTime() - Date.now() : UNDATED_MS,
    }
  })
  return JSON.parse(text) as AwsCredentials
}

/** In LiteLLM's order: a token of somebody else's, a role, a profile, a key, and what the surroundings give. */
function sourceFor(library: Library, s: AwsIdentity, key: AwsCredentials | undefined): Source {
  const clientConfig = {
    ...(s.aws_region_name ? { region: s.aws_region_name } : {}),
    ...(s.aws_sts_endpoint ? { endpoint: s.aws_sts_endpoint } : {}),
  }
  const own: Source = s.aws_profile_name
    ? library.fromIni({ profile: s.aws_profile_name, clientConfig })
    : key
      ? async () => keyFor(key)
      : library.fromNodeProviderChain({ clientConfig })
  const { aws_role_name: role } = s
  if (!role) return own
  const roleSessionName = s.aws_session_name ?? SESSION
  if (s.aws_web_identity_token)
    return library.fromWebToken({
      clientConfig,
      roleArn: role,
      roleSessionName,
      webIdentityToken: identityToken(s.aws_web_identity_token.reveal()),
      durationSeconds: ROLE_SECONDS,
    })
  // A pod that has this very role already can't assume it once more.
  if (!key && !s.aws_profile_name && process.env.AWS_ROLE_ARN === role) return own
  return library.fromTemporaryCredentials({
    clientConfig,
    masterCredentials: own,
    params: {
      RoleArn: role,
      RoleSessionName: roleSessionName,
      DurationSeconds: ROLE_SECONDS,
      ...(s.aws_external_id ? { ExternalId: s.aws_external_id.reveal() } : {}),
    },
  })
}

const keyFor = ({ sessionToken, ...key }: AwsCredentials) => (sessionToken ? { ...key, sessionToken } : key)

/**
 * The token itself, or where it is: a path, and LiteLLM's `oidc/file/…`, `oidc/env/…` and `oidc/env_path/…`. Read for each
 * renewal, since whoever writes such a file writes it anew.
 */
function identityToken(said: string): string {
  const [, kind, rest = ''] = /^oidc\/(file|env|env_path)\/(.+)$/.exec(said) ?? []
  if (kind === 'env') return process.env[rest] ?? ''
  const path = kind === 'env_path' ? (process.env[rest] ?? '') : kind === 'file' ? rest : said
  return kind !== undefined || existsSync(path) ? readFileSync(path, 'utf8').trim() : said
}

/** AWS's own word, which names roles and users but no secret; where it is long, its beginning. */
function refusal(cause: unknown, s: AwsIdentity): UpstreamFailure {
  const { name = '', message = '' } = cause instanceof Error ? cause : {}
  let told = message.replaceAll(/\s+/g, ' ')
  for (const secret of [s.aws_secret_access_key, s.aws_session_token, s.aws_web_identity_token])
    if (secret) told = told.replaceAll(secret.reveal(), '[redacted]')
  return noToken('aws', `${name}: ${told}`.slice(0, 300))
}
