/** What a route is. Every route stands in routes.ts, and who may use it in permissions.ts; there is no other way in. */
import type { Reach } from '../admin/reach.ts'
import type { Principal } from '../core/principal.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Door } from '../pipeline/io.ts'

/** Of a route that is open to all: nobody was asked. */
export interface OpenVisit {
  request: Request
  url: URL
  params: Readonly<Record<string, string>>
  requestId: string
}

export interface Visit extends OpenVisit {
  who: Principal
  /** How far he reaches here. */
  reach: Reach
}

interface Common {
  method: 'GET' | 'POST' | 'HEAD' | 'DELETE' | 'PUT' | 'PATCH'
  path: string
}

/** A request to a model: it goes through the pipeline. */
export interface ModelRoute extends Common {
  /** In whose shape errors are told that come before the door is known. */
  dialect: Dialect
  /** @throws Refusal where the path names no door */
  door: Door | ((params: Readonly<Record<string, string>>, url: URL) => Door)
  /** It stands for all that is below a provider's id. */
  passes?: boolean
}

/** Everything else: a JSON value, or a Response of its own. */
export interface PlainRoute extends Common {
  /** In whose shape errors are told. */
  dialect: Dialect
  handle(visit: Visit): unknown
}

/** Everybody may come. */
export interface OpenRoute extends Common {
  dialect: Dialect
  open(visit: OpenVisit): unknown
}

export type Route = ModelRoute | PlainRoute | OpenRoute
