/** What a schema can't say of `tollgate.auth`: what must be said together, and what would let in whom nobody meant. */
import type { AuthEntry, AuthInner } from './auth.ts'
import type { Finding } from './explain.ts'
import type { Path } from './problem.ts'
import type { FileConfig } from './schema.ts'

const error = (path: Path, message: string): Finding => ({ path, message, severity: 'error' })

export function checkAuth({ general_settings: general, tollgate }: FileConfig): Finding[] {
  const trusts = (tollgate.trusted_proxies ?? general.trusted_proxy_ranges) !== undefined
  const shows = tollgate.tls?.client_ca !== undefined
  const found = (tollgate.auth ?? []).flatMap((entry, i) =>
    checkEntry(entry, ['tollgate', 'auth', i], { trusts, shows }, false),
  )
  const at = (key: string): Path => ['general_settings', key]
  if (general.use_x_forwarded_for && !trusts)
    found.push(
      error(
        at('use_x_forwarded_for'),
        'needs `tollgate.trusted_proxies`: else anybody could write the address that he likes into `X-Forwarded-For`.',
      ),
    )
  if (general.allowed_ips && tollgate.allow_from?.all)
    found.push(error(at('allowed_ips'), 'says the same as `tollgate.allow_from.all`: say one of them.'))
  if (general.litellm_jwtauth && !general.enable_jwt_auth)
    found.push({
      ...error(at('litellm_jwtauth'), 'has no effect without `enable_jwt_auth: true`.'),
      severity: 'warning',
    })
  if (general.enable_jwt_auth && tollgate.auth)
    found.push(error(at('enable_jwt_auth'), 'and `tollgate.auth` both say who may come in: say one of them.'))
  return found
}

interface Has {
  /** Proxies that are believed. */
  trusts: boolean
  /** Certificates of callers. */
  shows: boolean
}

function checkEntry(entry: AuthEntry | AuthInner, path: Path, has: Has, isPart: boolean): Finding[] {
  const { jwt, mtls, ip, any } = entry
  const all = 'all' in entry ? entry.all : undefined
  const found: Finding[] = []
  const at = (...more: string[]): Path => [...path, ...more]
  for (const [key, list] of Object.entries({ all, any }))
    for (const [i, one] of (list ?? []).entries())
      found.push(...checkEntry(one, [...path, key, i], has, key === 'all' || isPart))
  if (all && !all.some(saysWho))
    found.push(error(at('all'), 'says where somebody comes from and not who it is: say `as` of the addresses.'))
  if (ip && !ip.as && !isPart)
    found.push(
      error(
        at('ip'),
        'lets in whoever comes from there and does not say who it is: say `as`, or put it into `all` with another way.',
      ),
    )
  if (jwt) {
    if (jwt.issuer === undefined && jwt.jwks === undefined && jwt.secret === undefined)
      found.push(error(at('jwt'), 'needs `issuer` (its keys are found by OpenID Connect), `jwks` or `secret`.'))
    if (jwt.secret !== undefined && jwt.jwks !== undefined)
      found.push(
        error(
          at('jwt', 'secret'),
          'and `jwks` exclude each other: a token signed with a public key as the secret would pass.',
        ),
      )
    if (jwt.audience === undefined && !jwt.any_audience)
      found.push(
        error(
          at('jwt'),
          'needs `audience`: else a token that was made for another service opens this one. `any_audience: true` says that this is meant.',
        ),
      )
    const isSymmetric = (algorithm: string) => algorithm.startsWith('HS')
    if (jwt.algorithms?.some((one) => isSymmetric(one) !== (jwt.secret !== undefined)))
      found.push(
        error(
          at('jwt', 'algorithms'),
          jwt.secret === undefined
            ? 'HS256 and its kin need `secret`.'
            : 'With `secret` only HS256, HS384 and HS512 can be.',
        ),
      )
    if (jwt.claims.role !== undefined && jwt.roles === undefined)
      found.push(
        error(at('jwt', 'claims', 'role'), 'needs `roles`: a word in a token is no role here until you say which.'),
      )
    if (jwt.roles !== undefined && jwt.claims.role === undefined)
      found.push(error(at('jwt', 'roles'), 'needs `claims.role`: the claim with the words that it translates.'))
  }
  if (mtls) {
    const isHeader = mtls.header !== undefined || mtls.subject_header !== undefined
    if (!isHeader && !has.shows)
      found.push(error(at('mtls'), 'needs `tollgate.tls.client_ca`: nobody is asked for a certificate without it.'))
    if (isHeader && !has.trusts)
      found.push(
        error(
          at('mtls'),
          'reads a header, which anybody could write: say in `tollgate.trusted_proxies` whose is believed.',
        ),
      )
    if (mtls.subject_header !== undefined && mtls.verify_header === undefined)
      found.push(
        error(at('mtls', 'subject_header'), 'needs `verify_header`: else a certificate that nobody checked would do.'),
      )
    if (mtls.subject_header !== undefined && (mtls.header !== undefined || mtls.ca !== undefined))
      found.push(
        error(
          at('mtls', 'subject_header'),
          'stands for a certificate that the proxy does not send: without `header` and `ca`.',
        ),
      )
    if (mtls.subject_header !== undefined && !['cn', 'subject'].includes(mtls.user))
      found.push(error(at('mtls', 'user'), 'must be `cn` or `subject` where only the subject is sent.'))
    if (mtls.header !== undefined && mtls.ca === undefined && mtls.verify_header === undefined)
      found.push(
        error(at('mtls', 'header'), 'needs `ca` or `verify_header`: else a certificate that anybody made would do.'),
      )
  }
  return found
}

const saysWho = (one: AuthInner): boolean =>
  one.any ? one.any.every(saysWho) : one.ip ? one.ip.as !== undefined : true
