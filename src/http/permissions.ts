/**
 * The one table: which roles may use which route, and how far they reach there. A route that is not in it does not
 * start; a line without a route fails a test (test/access). docs/access.md is checked against it.
 */
import type { Extent, Role } from '../core/role.ts'
import type { Route } from './route.ts'

/**
 * `open`: nobody is asked. `caller`: whoever comes in, for himself; what he may call is said by his key. Else a role
 * that is not named may not. `login`: nobody is asked either, but it is answered where the management is, to addresses
 * that may manage. `session`: whoever has logged in, for himself, and be it without the second factor that he still needs.
 */
export type Permission = 'open' | 'caller' | 'login' | 'session' | Readonly<Partial<Record<Role, Extent>>>

const OPERATOR = { proxy_admin: 'all' } as const
const IN_ORG = { ...OPERATOR, org_admin: 'org' } as const
const IN_TEAM = { ...IN_ORG, team_admin: 'team' } as const
const OWN = { ...IN_TEAM, internal_user: 'self' } as const

const SEE_ALL = { ...OPERATOR, proxy_admin_viewer: 'all' } as const
const SEE_ORG = { ...SEE_ALL, org_admin: 'org' } as const
const SEE_TEAM = { ...SEE_ORG, team_admin: 'team' } as const
const SEE_USER = { ...SEE_TEAM, internal_user: 'self', internal_user_viewer: 'self' } as const
const SEE_OWN = { ...SEE_USER, customer: 'self' } as const

const MODEL_PATHS = [
  ...['/chat/completions', '/completions', '/embeddings', '/responses', '/moderations', '/images/generations'],
  ...['/images/edits', '/images/variations', '/audio/speech', '/audio/transcriptions', '/audio/translations'],
  ...['/rerank', '/files', '/batches', '/batches/:id/cancel', '/responses/:id/cancel'],
]

const each = <T extends Permission>(permission: T, ...routes: readonly string[]): Record<string, T> =>
  Object.fromEntries(routes.map((route) => [route, permission]))

const both = (method: string, ...paths: readonly string[]): string[] =>
  paths.flatMap((path) => [`${method} /v1${path}`, `${method} ${path}`])

const houses = (bases: readonly string[], method: string, steps: readonly string[]): string[] =>
  bases.flatMap((base) => steps.map((step) => `${method} ${base}/${step}`))

export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  ...each('open', 'GET /', 'HEAD /', 'GET /health/liveliness', 'GET /health/liveness', 'GET /health/readiness'),
  // To programs on the same machine: the handler looks at the other end of the connection.
  ...each('open', 'GET /status'),

  ...each('caller', ...both('POST', ...MODEL_PATHS), 'POST /v2/rerank'),
  ...each('caller', 'POST /v1/messages', 'POST /anthropic/v1/messages'),
  ...each('caller', 'POST /v1/messages/count_tokens', 'POST /anthropic/v1/messages/count_tokens'),
  ...each('caller', 'POST /v1/models/*', 'POST /v1beta/models/*', 'POST /v1alpha/models/*'),
  ...each('caller', 'POST /openai/deployments/*', 'POST /utils/route'),
  ...each('caller', ...both('GET', '/files', '/files/:id', '/files/:id/content', '/batches', '/batches/:id')),
  ...each('caller', ...both('DELETE', '/files/:id', '/responses/:id')),
  ...each('caller', ...both('GET', '/responses/:id', '/responses/:id/input_items', '/realtime')),
  ...each('caller', ...both('GET', '/models', '/models/*', '/model/info')),
  ...each('caller', 'GET /v1beta/models', 'GET /v1beta/models/*', 'GET /v1alpha/models', 'GET /v1alpha/models/*'),
  ...each('caller', 'POST /api/chat', 'POST /api/generate', 'POST /api/embed', 'POST /api/embeddings'),
  ...each('caller', 'GET /auth/validate', 'GET /openapi.json'),
  ...each('caller', 'GET /api/version', 'GET /api/tags', 'GET /api/ps', 'POST /api/show'),
  // Closed to everybody by their handler, which says so.
  ...each('caller', 'DELETE /api/delete', 'POST /api/push', 'POST /api/create', 'POST /api/copy'),
  ...each('caller', 'POST /api/blobs/*', 'HEAD /api/blobs/*'),
  ...each(OPERATOR, 'POST /api/pull'),

  ...each(OWN, 'POST /key/generate', 'POST /key/update', 'POST /key/delete'),
  ...each(OWN, 'POST /key/regenerate', 'POST /key/:key/regenerate'),
  ...each('caller', 'POST /key/rotate'),
  ...each(IN_TEAM, 'POST /key/block', 'POST /key/unblock', 'POST /key/service-account/generate'),
  ...each(OPERATOR, 'POST /key/check'),
  ...each(SEE_ALL, 'GET /key/refused'),
  ...each(SEE_OWN, 'GET /key/info'),
  ...each(SEE_USER, 'GET /key/list'),

  ...each(IN_ORG, 'POST /team/new', 'POST /team/delete', 'POST /team/block', 'POST /team/unblock'),
  ...each(
    IN_TEAM,
    'POST /team/update',
    'POST /team/member_add',
    'POST /team/member_update',
    'POST /team/member_delete',
  ),
  ...each(SEE_USER, 'GET /team/info', 'GET /team/list'),
  ...each(IN_ORG, 'POST /user/new', 'POST /user/update', 'POST /user/delete'),
  ...each(SEE_USER, 'GET /user/info', 'GET /user/list'),
  ...each('login', 'GET /login/methods', 'POST /login', 'POST /login/passkey/options', 'POST /login/passkey'),
  ...each('login', 'POST /onboarding/claim_token', 'GET /sso/start/:id', 'GET /sso/callback'),
  ...each('session', 'GET /session', 'POST /logout', 'POST /session/verify', 'POST /session/passkey/options'),
  ...each('session', 'GET /session/list', 'POST /session/revoke', 'POST /session/password'),
  ...each('session', 'POST /session/totp/new', 'POST /session/totp/confirm', 'POST /session/totp/delete'),
  ...each('session', 'POST /session/passkey/new', 'POST /session/passkey/confirm', 'POST /session/passkey/delete'),
  ...each('session', 'POST /session/recovery/new'),
  ...each(OPERATOR, 'POST /user/password', 'POST /user/factors/reset', 'POST /user/sessions/revoke'),
  ...each(SEE_ALL, 'GET /user/sessions'),
  ...each(IN_ORG, 'POST /invitation/new', 'POST /invitation/delete'),
  ...each(SEE_ORG, 'GET /invitation/info'),
  ...each(OPERATOR, 'POST /organization/new', 'PATCH /organization/update', 'DELETE /organization/delete'),
  ...each(IN_ORG, 'POST /organization/member_add', 'PATCH /organization/member_update'),
  ...each(IN_ORG, 'DELETE /organization/member_delete'),
  ...each(SEE_ORG, 'GET /organization/info', 'GET /organization/list'),
  ...each(IN_TEAM, 'POST /project/new', 'POST /project/update', 'DELETE /project/delete'),
  ...each(SEE_TEAM, 'GET /project/info', 'GET /project/list'),

  ...each(OPERATOR, ...houses(['/customer', '/end_user'], 'POST', ['new', 'update', 'delete', 'block', 'unblock'])),
  ...each(SEE_ALL, ...houses(['/customer', '/end_user'], 'GET', ['info', 'list'])),
  ...each(OPERATOR, 'POST /tag/new', 'POST /tag/update', 'POST /tag/delete'),
  ...each(SEE_ALL, 'POST /tag/info', 'GET /tag/list'),
  ...each(OPERATOR, ...houses(['/model/budget', '/provider/budget'], 'POST', ['new', 'update', 'delete'])),
  ...each(SEE_ALL, ...houses(['/model/budget', '/provider/budget'], 'GET', ['info', 'list'])),
  ...each(SEE_ALL, 'GET /provider/budgets'),
  ...each(OPERATOR, 'POST /credentials', 'PATCH /credentials/:name', 'DELETE /credentials/:name'),
  ...each('caller', 'GET /guardrails/list', 'GET /v2/guardrails/list'),
  ...each(OPERATOR, 'POST /guardrails/test', 'POST /guardrails/apply_guardrail', 'POST /apply_guardrail'),
  ...each(SEE_ALL, 'GET /guardrails/report'),
  ...each(OPERATOR, 'GET /cache/ping', 'POST /cache/delete', 'POST /cache/flush', 'POST /cache/flushall'),
  ...each(OPERATOR, 'POST /alerts/look', 'POST /alerts/test', 'POST /alerts/silences', 'DELETE /alerts/silences/:id'),
  ...each(SEE_ALL, 'GET /alerts', 'GET /alerts/silences'),
  ...each(SEE_ALL, 'GET /cache/report'),
  ...each(SEE_ALL, 'GET /credentials', 'GET /credentials/by_name/:name'),
  ...each(OPERATOR, 'POST /budget/new', 'POST /budget/update', 'POST /budget/delete'),
  ...each(SEE_ALL, 'POST /budget/info', 'GET /budget/list', 'GET /budget/settings'),

  ...each(SEE_OWN, 'POST /grant/ask', 'GET /grant/list'),
  ...each(OPERATOR, 'POST /grant/approve', 'POST /grant/refuse', 'POST /grant/revoke'),
  ...each(SEE_ALL, 'GET /grant/events'),

  ...each(SEE_OWN, 'GET /spend/logs', 'GET /user/daily/activity'),
  ...each(SEE_TEAM, 'GET /team/daily/activity', 'GET /project/daily/activity', 'GET /spend/statement'),
  ...each(SEE_TEAM, 'GET /customer/daily/activity', 'GET /tag/daily/activity'),
  ...each(SEE_ORG, 'GET /organization/daily/activity'),
  ...each(SEE_ALL, 'GET /global/spend', 'GET /global/spend/report'),
  ...each(SEE_ALL, 'GET /spend/keys', 'GET /spend/users', 'GET /spend/tags'),

  ...each(SEE_ALL, 'GET /backends', 'GET /health'),
  ...each(SEE_ALL, 'GET /audit', 'GET /audit/:id', 'GET /audit/key', 'GET /audit/requests', 'GET /audit/export'),
  // And of those only whom an administrator has named: the handler says who.
  ...each(SEE_ALL, 'GET /content/:id'),
  ...each(OPERATOR, 'POST /privacy/forget'),
}

/** All below a provider's id: as many as there are providers. What may pass there is granted to keys, path by path. */
export const PASS_THROUGH: Permission = 'caller'

/** What is said of a route. @throws Error where nothing is: the gateway does not start with it */
export function permissionOf(route: Pick<Route, 'method' | 'path'> & { passes?: boolean }): Permission {
  if (route.passes) return PASS_THROUGH
  const permission = PERMISSIONS[`${route.method} ${route.path}`]
  if (permission === undefined) throw new Error(`${route.method} ${route.path} has no line in src/http/permissions.ts.`)
  return permission
}

/** How far a role reaches; undefined: it may not. */
export const extentOf = (permission: Exclude<Permission, 'open'>, role: Role): Extent | undefined =>
  typeof permission === 'string' ? 'self' : permission[role]

/** Where a route answers, if the management has an address of its own (`tollgate.admin.listen`). */
export type Side = 'callers' | 'desk' | 'both'

/** @param isModel whether it leads to models: the desk has none */
export function sideOf(permission: Permission, isModel: boolean): Side {
  if (permission === 'open' || (permission === 'caller' && !isModel)) return 'both'
  return permission === 'caller' ? 'callers' : 'desk'
}

/** In words, for a refusal. */
export const rolesOf = (permission: Exclude<Permission, string>): string => Object.keys(permission).join(', ')
