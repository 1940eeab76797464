/**
 * `GET /auth/validate`: whether somebody may come in, for proxies that ask first: nginx's `auth_request`
 * (nginx.org/en/docs/http/ngx_http_auth_request_module.html) and Traefik's `forwardAuth`. 204 with who it is in headers,
 * else 401 or 403.
 */
import type { Access } from '../core/access.ts'
import { planFor } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import { ROLE_WORDS, readRole } from '../core/role.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Visit } from './route.ts'

/** `?role=` (any of them, repeated or with commas) and `?model=` ask for more than a name. @throws Refusal forbidden */
export function validate({ who, url }: Visit, snapshot: Snapshot, access: Access): Response {
  const roles = url.searchParams.getAll('role').flatMap((said) => said.split(','))
  const wanted = roles.map((word) => {
    const role = readRole(word)
    if (role) return role
    throw new Refusal('invalid_request', `role: must be one of ${ROLE_WORDS.join(', ')}.`, { param: 'role' })
  })
  if (wanted.length > 0 && !wanted.includes(who.role))
    throw new Refusal('forbidden', `This is for ${wanted.join(', ')}. You are ${who.role} here.`)
  const models = url.searchParams.getAll('model')
  if (models.some((model) => planFor(snapshot, [model], access).length === 0))
    throw new Refusal('forbidden', 'You may not use this model.', { param: 'model' })
  const { key } = who
  const told = {
    'x-auth-name': who.name,
    'x-auth-role': who.role,
    'x-auth-user': who.userId,
    'x-auth-team': key?.teamId,
    'x-auth-organization': key?.organizationId,
    'x-auth-project': key?.projectId,
    'x-auth-key': key?.name,
  }
  const headers = new Headers({ 'cache-control': 'no-store' })
  // Always each of them: a proxy that passes them on overwrites what the client wrote there itself.
  for (const [name, value] of Object.entries(told)) headers.set(name, plain(value ?? ''))
  return new Response(null, { status: 204, headers })
}

/** As a header can carry it: what is no plain ASCII is percent-encoded. */
const plain = (value: string): string =>
  value.replace(/[^\x20-\x7e]/gu, (c) => (/^[\ud800-\udfff]$/.test(c) ? '%EF%BF%BD' : encodeURIComponent(c)))
