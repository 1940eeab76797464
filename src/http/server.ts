/** The routes on a socket. Elysia finds the route; one function here stands before each of them. */
import { Elysia } from 'elysia'
import type { Act, Changes } from '../admin/changes.ts'
import type { Reach } from '../admin/reach.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import type { Extent } from '../core/role.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import { count } from '../pipeline/count.ts'
import type { Door, Io } from '../pipeline/io.ts'
import { refusalHeaders } from '../pipeline/refuse.ts'
import { serve } from '../pipeline/serve.ts'
import { HOP_HEADER, isCircle } from '../upstream/hops.ts'
import { extentOf, type Permission, permissionOf, rolesOf, type Side, sideOf } from './permissions.ts'
import type { ModelRoute, OpenRoute, OpenVisit, PlainRoute, Route } from './route.ts'
import type { Sockets } from './sockets.ts'

interface House {
  io: Io
  reachOf(who: Principal, extent: Extent): Reach
  /** Whether this address may manage at all. @throws Refusal 403 */
  admitAddress(request: Request): void
  /** Who changes what. */
  changes: Changes
}

/**
 * Builds the handler of all routes.
 * @param draining whether a stop is under way: then new requests are refused
 * @param side whose listener it is for, where the management has its own
 */
export function buildApp(
  house: House,
  table: readonly Route[],
  draining: () => boolean,
  sockets: Sockets,
  side: Side = 'both',
): { fetch(request: Request): Response | Promise<Response> } {
  const { io } = house
  const app = new Elysia({ aot: true, precompile: true })
  for (const route of table) {
    const permission = permissionOf(route)
    const home = sideOf(permission, 'door' in route)
    if (side !== 'both' && home !== 'both' && home !== side) {
      app.route(route.method, route.path, () => tell(io, route.dialect, elsewhere(route, home)), {
        parse: 'none',
      } as never)
      continue
    }
    // The whole Response is built by us: `set.headers` must stay empty, or Elysia corrupts streamed UTF-8.
    const handle =
      'door' in route
        ? ({ request, params }: { request: Request; params: Record<string, string> }) =>
            draining() ? refuseDraining(io, route.dialect) : enter(io, route, request, params)
        : ({ request, params }: { request: Request; params: Record<string, string> }) =>
            visit(house, route, permission, request, params)
    app.route(route.method, route.path, handle, { parse: 'none' } as never)
  }
  const paths = new Set(table.map((r) => r.path))
  app.onError(({ request, code }) => {
    const { pathname } = new URL(request.url)
    const dialect = dialectOf(pathname)
    if (code !== 'NOT_FOUND') return tell(io, dialect, Refusal.from(new Error(`Elysia: ${code}`)))
    if (paths.has(pathname)) {
      const allowed = table.filter((r) => r.path === pathname).map((r) => r.method)
      return tell(
        io,
        dialect,
        new Refusal(
          'method_not_allowed',
          `${request.method} ${pathname} is not possible: use ${allowed.join(' or ')}.`,
        ),
        { allow: allowed.join(', ') },
      )
    }
    return tell(
      io,
      dialect,
      new Refusal(
        'not_found',
        `There is no route ${request.method} ${pathname.slice(0, 200)}. The guide lists them all: docs/api.md.`,
      ),
    )
  })
  const compiled = app.compile()
  return { fetch: (request) => compiled.fetch(withLongHost(request, sockets)) }
}

/** Elysia looks for the path from the 11th character on: a host of one to three letters (`http://llm/api/chat`) hides it. */
function withLongHost(request: Request, sockets: Sockets): Request {
  const { url } = request
  if (url.indexOf('/', 8) >= 11) return request
  return sockets.copied(new Request(url.replace(/^(https?:\/\/)/, '$1short.host.'), request), request)
}

/** Into the pipeline; where the path itself is wrong, that is told as everything else is. */
function enter(
  io: Io,
  route: ModelRoute,
  request: Request,
  params: Record<string, string>,
): Promise<Response> | Response {
  if (isCircle(request.headers.get(HOP_HEADER)))
    return tell(
      io,
      route.dialect,
      new Refusal(
        'loop_detected',
        'This request has been here before: a target of this gateway leads back to it. Its operator finds it among the api_base of its models.',
      ),
    )
  if (typeof route.door !== 'function') return pass(io, request, route.door)
  let door: Door
  try {
    door = route.door(params, new URL(request.url))
  } catch (cause) {
    return tell(io, route.dialect, Refusal.from(cause))
  }
  return pass(io, request, door)
}

const pass = (io: Io, request: Request, door: Door): Promise<Response> =>
  door.counts ? count(io, request, door) : door.other ? door.other(io, request, door) : serve(io, request, door)

/** The one door of every route that is not a model's: who may come in, how errors are told, and what is written down of it. */
async function visit(
  house: House,
  route: PlainRoute | OpenRoute,
  permission: Permission,
  request: Request,
  params: Record<string, string>,
): Promise<Response> {
  const { io, changes } = house
  const requestId = `req_${io.ledger.nextOperation().toString(36)}`
  const open = { request, url: new URL(request.url), params, requestId }
  if (!isWatched(route, permission)) return answer(house, route, permission, open)
  const act: Act = {
    ...{ requestId, route: `${route.method} ${route.path}`, who: undefined, ip: io.ipOf(request), changes: [] },
    changedBy: request.headers.get('litellm-changed-by')?.slice(0, 200),
    ...{ status: 200, outcome: 'ok' },
  }
  const response = await changes.during(act, () => answer(house, route, permission, open, act))
  act.status = response.status
  if (isWritten(route, act)) changes.done(act)
  return response
}

/** @param act what is to be known of it, where it is written down */
async function answer(
  house: House,
  route: PlainRoute | OpenRoute,
  permission: Permission,
  open: OpenVisit,
  act?: Act,
): Promise<Response> {
  const { io, reachOf } = house
  const { request, requestId } = open
  const admitted = async () => {
    if ('open' in route || permission === 'open' || permission === 'login')
      throw new Error(`${route.path} is open in one table only.`)
    const errand = permission === 'caller' ? 'models' : permission === 'session' ? 'session' : 'manage'
    const who = await io.admit(request, request.headers, errand)
    if (act) act.who = who
    const extent = extentOf(permission, who.role)
    if (extent === undefined) throw notForYou(route, permission, who)
    // What is blocked may not manage either.
    if (who.key) io.payers.check(io.payers.of(who.key))
    return route.handle({ ...open, who, reach: reachOf(who, extent) })
  }
  try {
    if (permission === 'login') house.admitAddress(request)
    const answer = await ('open' in route ? route.open(open) : admitted())
    const response = answer instanceof Response ? answer : Response.json(answer)
    response.headers.set('x-request-id', requestId)
    return response
  } catch (cause) {
    const refusal = Refusal.from(cause)
    if (act) act.outcome = refusal.code
    if (refusal.owner === 'ours')
      io.warn('A route failed.', { request_id: requestId, path: route.path, told: refusal.detail.private })
    return tell(io, route.dialect, refusal, {}, requestId)
  }
}

/** Questions that are asked by POST. */
const QUESTIONS: ReadonlySet<string> = new Set([
  ...['POST /tag/info', 'POST /budget/info', 'POST /login/passkey/options', 'POST /session/passkey/options'],
  ...['POST /session/passkey/new', 'POST /session/totp/new'],
])

const isRead = ({ method }: Route): boolean => method === 'GET' || method === 'HEAD'

/** Whether somebody may do something there that is to be known: all of the management, and whatever else may change something. */
const isWatched = (route: Route, permission: Permission): boolean =>
  permission !== 'open' && (permission !== 'caller' || !isRead(route))

/** What was done or tried: reading is not, unless it was refused to him or what he read was told of. */
function isWritten(route: Route, { changes, status, route: name }: Act): boolean {
  if (changes.length > 0 || status === 401 || status === 403 || status === 429) return true
  return !isRead(route) && !QUESTIONS.has(name) && permissionOf(route) !== 'caller'
}

/** Told clearly, and not where the other address is: that is the operator's to say. */
function elsewhere({ method, path }: Route, home: Side): Refusal {
  return new Refusal(
    'not_found',
    home === 'desk'
      ? `${method} ${path} is management, which answers at its own address alone (tollgate.admin.listen). Ask there.`
      : `${method} ${path} is for callers of models: ask the gateway's other address. This one is for its management.`,
  )
}

function notForYou(route: Route, permission: Exclude<Permission, 'open' | 'login'>, { role, way }: Principal): Refusal {
  const may = typeof permission === 'string' ? 'whoever has a key' : rolesOf(permission)
  const whose = way === 'key' ? 'The user of this key is' : 'You are'
  return new Refusal(
    'forbidden',
    `${route.method} ${route.path} is for ${may}, and for the master key. ${whose} ${role} here (docs/access.md).`,
  )
}

/** Errors of routes that are not there: Ollama's as Ollama tells them, Anthropic's as Anthropic, all others as OpenAI. */
function dialectOf(path: string): Dialect {
  if (path.startsWith('/api/')) return dialects['ollama-chat']
  if (/^\/v1(beta|alpha)\//.test(path)) return dialects.gemini
  return dialects[/^(\/anthropic)?\/v1\/messages/.test(path) ? 'anthropic' : 'openai-chat']
}

function tell(
  io: Io,
  dialect: Dialect,
  refusal: Refusal,
  extra: Record<string, string> = {},
  requestId = `req_${io.ledger.nextOperation().toString(36)}`,
): Response {
  const { status, body } = dialect.writeError(refusal)
  return new Response(JSON.stringify(body), { status, headers: { ...refusalHeaders(refusal, requestId), ...extra } })
}

function refuseDraining(io: Io, dialect: Dialect): Response {
  return tell(
    io,
    dialect,
    new Refusal('shutting_down', 'This gateway is stopping. Try again: another one, or this one when it is back.', {
      retryAfterMs: 2_000,
    }),
    { connection: 'close' },
  )
}
