/** What a route is. Every route stands in routes.ts with the role that may use it; there is no other way in. */
import type { Principal } from '../core/key.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Door } from '../pipeline/io.ts'

/** `open`: nobody is asked. `caller`: any valid key. `admin`: the master key. */
export type Role = 'open' | 'caller' | 'admin'

export interface Visit {
  request: Request
  url: URL
  /** Undefined on open routes. */
  who: Principal | undefined
  params: Readonly<Record<string, string>>
  requestId: string
}

interface Common {
  method: 'GET' | 'POST' | 'HEAD' | 'DELETE' | 'PUT' | 'PATCH'
  path: string
  role: Role
}

/** A request to a model: it goes through the pipeline. */
export interface ModelRoute extends Common {
  /** In whose shape errors are told that come before the door is known. */
  dialect: Dialect
  /** @throws Refusal where the path names no door */
  door: Door | ((params: Readonly<Record<string, string>>, url: URL) => Door)
}

/** Everything else: a JSON value, or a Response of its own. */
export interface PlainRoute extends Common {
  /** In whose shape errors are told. */
  dialect: Dialect
  handle(visit: Visit): unknown
}

export type Route = ModelRoute | PlainRoute
