/** Every route there is; who may use it stands in permissions.ts. Nothing is reached but through this table. */

import type { AlertRoutes } from '../admin/alert-routes.ts'
import type { AuditRoutes } from '../admin/audit-routes.ts'
import type { CacheRoutes } from '../admin/cache-routes.ts'
import type { CredentialRoutes } from '../admin/credential-routes.ts'
import type { GrantRoutes } from '../admin/grant-routes.ts'
import type { Actor } from '../admin/grants.ts'
import type { GuardRoutes } from '../admin/guard-routes.ts'
import type { HolderRoute } from '../admin/holder-route.ts'
import type { KeyRoutes } from '../admin/keys.ts'
import type { PrivacyRoutes } from '../admin/privacy.ts'
import type { Reach } from '../admin/reach.ts'
import type { ReportRoutes } from '../admin/reports.ts'
import type { TemplateRoutes } from '../admin/templates.ts'
import type { RefusedKeys } from '../auth/refused-keys.ts'
import type { Access } from '../core/access.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'
import type { DialectId } from '../dialects/canonical.ts'
import { SseToArray } from '../dialects/gemini/array.ts'
import { readPath } from '../dialects/gemini/path.ts'
import { dialects } from '../dialects/index.ts'
import { passed } from '../dialects/passed.ts'
import { explain } from '../pipeline/explain.ts'
import type { HealthChecks } from '../pipeline/health.ts'
import type { Door, Reshape } from '../pipeline/io.ts'
import { type Kept, keptDoor } from '../pipeline/kept/door.ts'
import { pass } from '../pipeline/pass/pass.ts'
import { openRealtime } from '../pipeline/realtime/open.ts'
import type { SocketDoor } from '../pipeline/realtime/talk.ts'
import type { Link } from '../upstream/link.ts'
import { showHealth } from './health.ts'
import { jsonBody } from './json-body.ts'
import type { LoginDesk } from './login/desk.ts'
import { openLoginRoutes } from './login/open-routes.ts'
import { sessionRoutes } from './login/session-routes.ts'
import { ssoRoutes } from './login/sso-routes.ts'
import { userLoginRoutes } from './login/user-routes.ts'
import { type ModelDoor, modelInfo } from './model-info.ts'
import { listModels, shapeFor, showModel } from './models.ts'
import { loaded, OLLAMA_VERSION, type OllamaDoor, pull, show, tags } from './ollama.ts'
import { openApi } from './openapi/document.ts'
import { showRefused } from './refused-keys.ts'
import { cancelResponse, deleteResponse, getResponse, listInput, type ResponseShelf } from './responses.ts'
import type { OpenRoute, PlainRoute, Route, Visit } from './route.ts'
import { validate } from './validate.ts'

/** What the routes need of the rest of the house. */
export interface Offices extends OllamaDoor, ModelDoor {
  health: HealthChecks
  now(): number
  /** What a caller may call now. */
  access(who: Principal): Access
  keys: KeyRoutes
  refusedKeys: RefusedKeys
  /** The caller's address; undefined where it is not known. */
  ipOf(request: Request): string | undefined
  holders: readonly HolderRoute[]
  budgets: TemplateRoutes
  credentials: CredentialRoutes
  alerts: AlertRoutes
  cache: CacheRoutes
  guards: GuardRoutes
  grants: GrantRoutes
  responses: ResponseShelf
  sockets: SocketDoor
  logins: LoginDesk
  spendLogs(reach: Reach, query: URLSearchParams): { rows: unknown[]; next: string | undefined }
  globalSpend(): Record<string, unknown>
  reports: ReportRoutes
  audit: AuditRoutes
  privacy: PrivacyRoutes
  /** What was said and answered. @throws Refusal for whoever may not read it */
  content(who: Principal, requestId: string): Record<string, unknown>
  /** How busy it is, for whoever asks on this machine. @throws Refusal 403 */
  status(request: Request): Response
  /** The machines of the house. */
  backends(): Record<string, unknown>
  /** Whether it can take requests: the database answers and no stop is under way. */
  ready(): { ready: boolean; facts: Record<string, unknown> }
}

const openai = dialects['openai-chat']
const ollama = dialects['ollama-chat']

/** Passed on as they are, under /v1 and without. */
const FORWARDED: readonly (readonly [path: string, dialect: DialectId, call: string])[] = [
  ['/moderations', 'openai-moderations', 'amoderation'],
  ['/images/generations', 'openai-images', 'aimage_generation'],
  ['/images/edits', 'openai-image-edits', 'aimage_edit'],
  ['/images/variations', 'openai-image-variations', 'aimage_variation'],
  ['/audio/speech', 'openai-speech', 'aspeech'],
  ['/audio/transcriptions', 'openai-transcriptions', 'atranscription'],
  ['/audio/translations', 'openai-translations', 'atranslation'],
  ['/rerank', 'rerank', 'arerank'],
]

const MODEL_ROUTES: readonly (readonly [path: string, dialect: DialectId, call: string])[] = [
  ['/v1/chat/completions', 'openai-chat', 'acompletion'],
  ['/chat/completions', 'openai-chat', 'acompletion'],
  ['/v1/completions', 'openai-completions', 'atext_completion'],
  ['/completions', 'openai-completions', 'atext_completion'],
  ['/v1/embeddings', 'openai-embeddings', 'aembedding'],
  ['/embeddings', 'openai-embeddings', 'aembedding'],
  ['/v1/responses', 'openai-responses', 'aresponses'],
  ['/responses', 'openai-responses', 'aresponses'],
  ...FORWARDED.flatMap(([path, dialect, call]) => [
    [`/v1${path}`, dialect, call] as const,
    [path, dialect, call] as const,
  ]),
  ['/v2/rerank', 'rerank', 'arerank'],
  ['/v1/messages', 'anthropic', 'anthropic_messages'],
  ['/anthropic/v1/messages', 'anthropic', 'anthropic_messages'],
  ['/api/chat', 'ollama-chat', 'acompletion'],
  ['/api/generate', 'ollama-generate', 'atext_completion'],
  ['/api/embed', 'ollama-embed', 'aembedding'],
  ['/api/embeddings', 'ollama-embeddings', 'aembedding'],
]

const COUNT = ':countTokens'

/** Google's clients choose the version themselves, `@google/genai` 3 the first and those before it the second. */
const GOOGLE_VERSIONS = ['v1', 'v1beta', 'v1alpha']

/** What stands in the place of a route's `*`. @throws Refusal invalid_request where `%` is followed by what is no byte */
function restOf(params: Readonly<Record<string, string>>): string {
  try {
    return decodeURIComponent(params['*'] ?? '')
  } catch {
    throw new Refusal('invalid_request', "The path is not encoded rightly: a '%' in a name is written %25.")
  }
}

/** `/v1beta/models/{model}:{action}`: Gemini says in the path what others say in the body. */
function geminiDoor(params: Readonly<Record<string, string>>, url: URL): Door {
  const rest = restOf(params)
  if (rest.endsWith(COUNT)) {
    const said = { model: rest.slice(0, -COUNT.length), stream: false }
    return { dialect: dialects.gemini, call: 'count', said, counts: (tokens) => ({ totalTokens: tokens }) }
  }
  const { dialect, model, stream } = readPath(rest)
  const door = {
    dialect: dialects[dialect],
    call: dialect === 'gemini' ? 'agenerate_content' : 'aembedding',
    said: { model, stream },
  }
  return stream && url.searchParams.get('alt') !== 'sse' ? { ...door, reshape: asArray } : door
}

/** The request whose way is explained may be of any dialect: `?dialect=anthropic`. */
function explainDoor(_: Readonly<Record<string, string>>, url: URL): Door {
  const asked = url.searchParams.get('dialect') ?? 'openai-chat'
  if (!Object.hasOwn(dialects, asked))
    throw new Refusal(
      'invalid_request',
      `There is no dialect '${asked.slice(0, 50)}'. There are ${Object.keys(dialects).join(', ')}.`,
      {
        param: 'dialect',
      },
    )
  return { dialect: dialects[asked as DialectId], call: 'route', other: explain }
}

/** Azure's clients name the deployment in the path: `/openai/deployments/{model}/chat/completions`. */
function azureDoor(params: Readonly<Record<string, string>>): Door {
  const [, model = '', path = ''] =
    /^(.+?)\/((?:chat\/)?completions|embeddings|responses|moderations|rerank|images\/.+|audio\/.+)$/.exec(
      restOf(params),
    ) ?? []
  const route = MODEL_ROUTES.find(([known]) => known === `/v1/${path}`)
  if (!route)
    throw new Refusal(
      'not_found',
      'There is no such deployment route. Use /openai/deployments/{model}/chat/completions, and likewise for the others.',
    )
  return { dialect: dialects[route[1]], call: route[2], said: { model, stream: false } }
}

const asArray = (): Reshape => {
  const array = new SseToArray()
  return { contentType: 'application/json', push: (bytes) => array.push(bytes), end: () => array.end() }
}

/** OpenAI's files and batches: each key sees its own. */
function keptRoutes(base: string): Route[] {
  const kept = (method: Route['method'], path: string, what: Kept): Route => ({
    method,
    path: base + path,
    dialect: openai,
    // A path without parameters has no record of them.
    door: (params: Readonly<Record<string, string>> | undefined) => keptDoor(what, params?.id),
  })
  return [
    kept('POST', '/files', 'file.create'),
    kept('GET', '/files', 'file.list'),
    kept('GET', '/files/:id', 'file.get'),
    kept('GET', '/files/:id/content', 'file.content'),
    kept('DELETE', '/files/:id', 'file.delete'),
    kept('POST', '/batches', 'batch.create'),
    kept('GET', '/batches', 'batch.list'),
    kept('GET', '/batches/:id', 'batch.get'),
    kept('POST', '/batches/:id/cancel', 'batch.cancel'),
  ]
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Any other path of a provider that has a target: `/openai/v1/fine_tuning/jobs`. Ollama's management stays closed. */
function throughRoutes(links: readonly Link[]): Route[] {
  const open = links.map((l) => l.provider).filter((p) => p.passThrough !== false && !p.inProcess)
  return [...new Set(open)].flatMap(({ id, speaks }) => {
    const told = dialects[speaks.anthropic ? 'anthropic' : speaks.gemini ? 'gemini' : 'openai-chat']
    const dialect = passed(told)
    const other: Door['other'] = (io, request, door) => pass(io, request, door, id)
    const door: Door = { dialect, call: 'pass_through_endpoint', other }
    return METHODS.map((method): Route => ({ method, path: `/${id}/*`, dialect, door, passes: true }))
  })
}

/** What would change the models of an Ollama that others use. */
const FORBIDDEN: readonly (readonly [PlainRoute['method'], string])[] = [
  ['DELETE', '/api/delete'],
  ['POST', '/api/push'],
  ['POST', '/api/create'],
  ['POST', '/api/copy'],
  ['POST', '/api/blobs/*'],
  ['HEAD', '/api/blobs/*'],
]

export function routes(offices: Offices): Route[] {
  const plain = (
    method: PlainRoute['method'],
    path: string,
    handle: PlainRoute['handle'],
    dialect = openai,
  ): PlainRoute => ({ method, path, dialect, handle })
  const open = (method: OpenRoute['method'], path: string, open: OpenRoute['open']): OpenRoute => ({
    ...{ method, path, dialect: openai, open },
  })
  const access = (visit: Visit): Access => offices.access(visit.who)
  const { keys, budgets, credentials, grants, cache, guards, alerts } = offices
  const post = (path: string, run: (body: Record<string, unknown>, reach: Reach) => unknown) =>
    plain('POST', path, async ({ request, reach }) => run(await jsonBody(request), reach))
  let description: Record<string, unknown> | undefined
  const table: Route[] = [
    ...MODEL_ROUTES.map(
      ([path, dialect, call]): Route => ({
        method: 'POST',
        path,
        dialect: dialects[dialect],
        door: { dialect: dialects[dialect], call, ...(dialect === 'openai-responses' ? { keeps: true } : {}) },
      }),
    ),
    ...['', '/anthropic'].map(
      (base): Route => ({
        method: 'POST',
        path: `${base}/v1/messages/count_tokens`,
        dialect: dialects.anthropic,
        door: { dialect: dialects.anthropic, call: 'count', counts: (tokens) => ({ input_tokens: tokens }) },
      }),
    ),
    { method: 'POST', path: '/openai/deployments/*', dialect: openai, door: azureDoor },
    ...GOOGLE_VERSIONS.map(
      (version): Route => ({
        method: 'POST',
        path: `/${version}/models/*`,
        dialect: dialects.gemini,
        door: geminiDoor,
      }),
    ),

    { method: 'POST', path: '/utils/route', dialect: openai, door: explainDoor },
    ...['/v1', ''].flatMap(keptRoutes),
    ...['/v1/realtime', '/realtime'].map((path): Route => {
      const other: Door['other'] = (io, request, door) => openRealtime(io, request, door, offices.sockets)
      return {
        method: 'GET',
        path,
        dialect: openai,
        door: { dialect: openai, call: 'arealtime', other },
      }
    }),
    ...throughRoutes(offices.links()),

    ...['/v1/responses', '/responses'].flatMap((path) => [
      plain('GET', `${path}/:id`, (v) => getResponse(offices.responses, v.who, v.params.id ?? '')),
      plain('DELETE', `${path}/:id`, (v) => deleteResponse(offices.responses, v.who, v.params.id ?? '')),
      plain('POST', `${path}/:id/cancel`, (v) => cancelResponse(offices.responses, v.who, v.params.id ?? '')),
      plain('GET', `${path}/:id/input_items`, (v) =>
        listInput(offices.responses, v.who, v.params.id ?? '', v.url.searchParams),
      ),
    ]),

    ...['/v1/models', '/models', '/v1beta/models', '/v1alpha/models'].flatMap((path) => {
      // An error is told as the list would have been.
      const told = /beta|alpha/.test(path) ? dialects.gemini : openai
      return [
        plain('GET', path, (v) => listModels(offices.snapshot(), access(v), shapeFor(v)), told),
        // Names hold slashes (`openai/gpt-4o`).
        plain('GET', `${path}/*`, (v) => showModel(offices.snapshot(), access(v), shapeFor(v), restOf(v.params)), told),
      ]
    }),

    ...['/v1/model/info', '/model/info'].map((path) =>
      plain('GET', path, (v) => {
        const id = v.url.searchParams.get('litellm_model_id')
        return modelInfo(offices, { who: v.who, access: access(v), id, now: offices.now() })
      }),
    ),

    plain('GET', '/auth/validate', (v) => validate(v, offices.snapshot(), access(v))),
    open('GET', '/', () => new Response('Tollgate is running')),
    open('HEAD', '/', () => new Response(null)),
    plain('GET', '/api/version', () => ({ version: OLLAMA_VERSION }), ollama),
    plain('GET', '/api/tags', (v) => tags(offices, access(v)), ollama),
    plain('GET', '/api/ps', (v) => loaded(offices, access(v)), ollama),
    plain('POST', '/api/show', async (v) => show(offices, access(v), await jsonBody(v.request)), ollama),
    plain('POST', '/api/pull', async (v) => pull(offices.links(), await jsonBody(v.request), v.request.signal), ollama),
    ...FORBIDDEN.map(([method, path]) => plain(method, path, notHere, ollama)),

    ...openLoginRoutes(offices.logins),
    ...ssoRoutes(offices.logins),
    ...sessionRoutes(offices.logins),
    ...userLoginRoutes(offices.logins),
    post('/key/generate', (body, reach) => keys.generate(body, reach)),
    post('/key/update', (body, reach) => keys.update(body, reach)),
    post('/key/delete', (body, reach) => keys.remove(body, reach)),
    post('/key/service-account/generate', (body, reach) => keys.serviceAccount(body, reach)),
    post('/key/regenerate', (body, reach) => keys.regenerate(body, reach)),
    plain('POST', '/key/:key/regenerate', async (v) =>
      keys.regenerate(await jsonBody(v.request), v.reach, decodeURIComponent(v.params.key ?? '')),
    ),
    plain('POST', '/key/rotate', (v) => keys.rotateOwn(v.who, offices.ipOf(v.request))),
    post('/key/check', (body) => keys.check(body)),
    plain('GET', '/key/refused', () => showRefused(offices.refusedKeys)),
    post('/key/block', (body, reach) => keys.setBlocked(body, true, reach)),
    post('/key/unblock', (body, reach) => keys.setBlocked(body, false, reach)),
    plain('GET', '/key/info', (v) => keys.info(v.reach, v.url.searchParams.get('key'))),
    plain('GET', '/key/list', (v) => keys.list(v.reach, v.url.searchParams)),

    ...offices.holders.map(({ method, path, handle }) =>
      plain(method, path, async ({ request, url, reach }) => {
        const body = method === 'GET' ? {} : await jsonBody(request)
        const { body: told, total, next } = handle({ query: url.searchParams, body, reach })
        const headers = new Headers()
        if (total !== undefined) headers.set('x-tollgate-total', String(total))
        if (next !== undefined) headers.set('x-tollgate-next', String(next))
        return Response.json(told, { headers })
      }),
    ),
    post('/credentials', (body) => credentials.make(body)),
    plain('GET', '/credentials', () => credentials.list()),
    plain('GET', '/credentials/by_name/:name', (v) => credentials.show(v.params.name ?? '')),
    plain('PATCH', '/credentials/:name', async (v) =>
      credentials.change(v.params.name ?? '', await jsonBody(v.request)),
    ),
    plain('DELETE', '/credentials/:name', (v) => credentials.remove(v.params.name ?? '')),
    ...['/guardrails/list', '/v2/guardrails/list'].map((path) => plain('GET', path, () => guards.list())),
    post('/guardrails/test', (body) => guards.test(body)),
    ...['/guardrails/apply_guardrail', '/apply_guardrail'].map((path) => post(path, (body) => guards.apply(body))),
    plain('GET', '/guardrails/report', () => guards.report()),
    plain('GET', '/alerts', (v) => alerts.list(v.url.searchParams)),
    plain('POST', '/alerts/look', async (v) => alerts.look(await jsonBody(v.request), v.who.name)),
    post('/alerts/test', (body) => alerts.test(body)),
    plain('GET', '/alerts/silences', () => alerts.silences()),
    plain('POST', '/alerts/silences', async (v) => alerts.silence(await jsonBody(v.request), v.who.name)),
    plain('DELETE', '/alerts/silences/:id', (v) => alerts.unsilence(v.params.id ?? '')),
    plain('GET', '/cache/ping', () => cache.ping()),
    post('/cache/delete', (body) => cache.delete(body)),
    post('/cache/flush', (body) => cache.flush(body)),
    post('/cache/flushall', (body) => cache.flush(body)),
    plain('GET', '/cache/report', (v) => cache.report(v.url.searchParams)),
    post('/budget/new', (body) => budgets.make(body)),
    post('/budget/update', (body) => budgets.change(body)),
    post('/budget/info', (body) => budgets.info(body)),
    post('/budget/delete', (body) => budgets.remove(body)),
    plain('GET', '/budget/list', () => budgets.list()),
    plain('GET', '/budget/settings', (v) => budgets.settings(v.url.searchParams.get('budget_id'))),

    plain('POST', '/grant/ask', async (v) => grants.ask(v.who, await jsonBody(v.request))),
    plain('GET', '/grant/list', (v) => grants.list(v.reach, v.url.searchParams)),
    plain('GET', '/grant/events', (v) => grants.events(v.url.searchParams)),
    ...(['approve', 'refuse', 'revoke'] as const).map((step) =>
      plain('POST', `/grant/${step}`, async (v) => grants[step](await jsonBody(v.request), actorOf(v))),
    ),

    plain('GET', '/spend/logs', (v) => {
      const { rows, next } = offices.spendLogs(v.reach, v.url.searchParams)
      return Response.json(rows, next ? { headers: { 'x-tollgate-next': next } } : {})
    }),
    open('GET', '/status', (v) => offices.status(v.request)),
    plain('GET', '/audit', (v) => offices.audit.list(v.url.searchParams)),
    plain('GET', '/audit/key', () => offices.audit.key()),
    plain('GET', '/audit/requests', (v) => {
      const { rows, next } = offices.audit.requests(v.url.searchParams)
      return Response.json(rows, next ? { headers: { 'x-tollgate-next': String(next) } } : {})
    }),
    plain('GET', '/audit/export', (v) => offices.audit.export(v.url.searchParams)),
    plain('GET', '/audit/:id', (v) => offices.audit.show(v.params.id ?? '')),
    post('/privacy/forget', (body) => offices.privacy.forget(body)),
    plain('GET', '/content/:id', (v) => offices.content(v.who, v.params.id ?? '')),
    plain('GET', '/global/spend', () => offices.globalSpend()),
    ...reportsOf(offices.reports),

    plain('GET', '/backends', () => offices.backends()),
    plain('GET', '/health', (v) => showHealth(offices.health, offices.links(), v.url.searchParams.get('model'))),
    ...['/health/liveliness', '/health/liveness'].map((path) => open('GET', path, () => "I'm alive!")),
    open('GET', '/health/readiness', () => {
      const { ready, facts } = offices.ready()
      return Response.json(facts, { status: ready ? 200 : 503 })
    }),
    plain('GET', '/openapi.json', () => {
      description ??= openApi(table)
      return description
    }),
  ]
  return table
}

function reportsOf(reports: ReportRoutes): PlainRoute[] {
  const read = (path: string, run: (query: URLSearchParams, reach: Reach) => unknown): PlainRoute => ({
    ...{ method: 'GET', path, dialect: openai },
    handle: ({ url, reach }) => run(url.searchParams, reach),
  })
  const kinds = ['user', 'team', 'organization', 'project', 'customer', 'tag'] as const
  return [
    read('/global/spend/report', (query) => reports.report(query)),
    read('/spend/statement', (query, reach) => reports.statement(reach, query)),
    read('/spend/keys', (query) => reports.keys(query)),
    read('/spend/users', (query) => reports.users(query)),
    read('/spend/tags', (query) => reports.tags(query)),
    ...kinds.map((kind) => read(`/${kind}/daily/activity`, (query, reach) => reports.activity(kind, reach, query))),
  ]
}

/** Who does something, and in whose name. */
const actorOf = ({ who, request }: Visit): Actor => ({
  id: who.name,
  changedBy: request.headers.get('litellm-changed-by')?.slice(0, 200),
})

function notHere({ url }: Visit): never {
  throw new Refusal(
    'forbidden',
    `${url.pathname} is closed: models are changed on the Ollama server itself, by its operator.`,
  )
}
