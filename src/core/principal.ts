/** Who comes in, however he came: everything behind the door is decided by this alone. */
import type { Secret } from '../secrets/secret.ts'
import type { Key } from './key.ts'
import type { Role } from './role.ts'

/** How he said who he is. */
export type Way = 'master' | 'key' | 'jwt' | 'basic' | 'cert' | 'ip' | 'check' | 'session'

/** The login of somebody who has one. */
export interface LoggedIn {
  id: string
  /** What his cookie holds. */
  secret: Secret
  /** How it stands with a second factor: until it is shown or set up, nothing else may be done. */
  second: 'shown' | 'to_show' | 'to_set_up' | 'none'
}

export interface Principal {
  role: Role
  /** For the audit and the log: `master`, `key:<id>`, `jwt:ada`, `basic:ada`, `cert:ada`. */
  name: string
  way: Way
  /**
   * What models are called with: his key, or a badge that looks like one, made from his claims or from the
   * configuration. Only the master key has none: nothing bounds it.
   */
  key: Key | undefined
  userId: string | undefined
  /** Teams that he administers. */
  teams: readonly string[]
  /** Organisations that he administers. */
  organizations: readonly string[]
  /** Whether he may make keys for himself, beside those of teams that he administers. */
  ownKeys: boolean
  /** When he has to show himself anew, ms since the epoch; of those whose key says it itself: undefined. */
  until?: number | undefined
  /** Of whoever has logged in. */
  session?: LoggedIn | undefined
}

/** Whoever has the master key. */
export const MASTER: Principal = Object.freeze({
  ...{ role: 'proxy_admin', name: 'master', way: 'master' },
  ...{ key: undefined, userId: undefined, teams: [], organizations: [], ownKeys: true },
} as const)
