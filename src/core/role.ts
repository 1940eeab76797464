/** The roles that somebody can have (LiteLLM's words, docs.litellm.ai/docs/proxy/access_control), and how far one reaches. */

/** From the most to the least. */
export const ROLES = [
  'proxy_admin',
  'proxy_admin_viewer',
  'org_admin',
  'team_admin',
  'internal_user',
  'internal_user_viewer',
  'customer',
] as const

export type Role = (typeof ROLES)[number]

/** Three words for those who need no more: each may what the one before it may. */
export const SHORT_ROLES = {
  'read-only': 'internal_user_viewer',
  write: 'internal_user',
  admin: 'proxy_admin',
} as const satisfies Record<string, Role>

/** What a role is called in settings and in `user_role`. */
export const ROLE_WORDS: readonly string[] = [...ROLES, ...Object.keys(SHORT_ROLES)]

/** The role behind a word, short or long; undefined where there is none. */
export function readRole(said: string): Role | undefined {
  if (Object.hasOwn(SHORT_ROLES, said)) return SHORT_ROLES[said as keyof typeof SHORT_ROLES]
  return ROLES.find((role) => role === said)
}

/** Whether `a` stands above `b`. */
export const isAbove = (a: Role, b: Role): boolean => ROLES.indexOf(a) < ROLES.indexOf(b)

/** What a role may touch on a route: everything; what is in its organisations; in its teams; what is its own. Each holds the next. */
export type Extent = 'all' | 'org' | 'team' | 'self'

/** What members are called within a team, and within an organisation. */
export const TEAM_ROLES = ['admin', 'user'] as const
export const ORGANIZATION_ROLES = ['org_admin', 'internal_user', 'internal_user_viewer'] as const
