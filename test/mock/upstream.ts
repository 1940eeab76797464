/**
 * A mock upstream that speaks OpenAI, Anthropic, Ollama and Gemini, and that hangs, cuts, drips, lies and splits bytes when
 * told to: by a plan (`mock.plan('m', ['cut:40', 'ok'])`) or by the model's name (`m!cut:40`).
 */

import { type Counter, DEFAULT_WORDS } from './answer.ts'
import { type Behaviour, fromModel, named } from './behaviour.ts'
import { House } from './house.ts'
import { type Connection, type Listener, listen, type Request } from './http.ts'
import { type Bill, billOf, type Seen, see } from './record.ts'
import { answerRoute } from './routes.ts'
import { pathOf } from './wire/gemini.ts'

export interface MockOptions {
  /** 0: any free port. */
  port?: number
  /** Models it has; others are 404. Without it, any name is answered. */
  models?: readonly string[]
  /** Words of an answer where neither limit nor behaviour says otherwise. */
  words?: number
  /** How it counts. Default: words. */
  counter?: Counter
  /** When set, other credentials (bearer or x-api-key) get 401. */
  key?: string
  /** Answers made at once, as on a local GPU: more wait before their headers, in order of arrival. Default: any. */
  slots?: number
}

/** A behaviour, or the name of one (`hang`, `cut:40`, `status:503`); names join by `!`. */
export type Planned = Behaviour | string

export interface Mock {
  /** `http://127.0.0.1:port`, without a slash. */
  url: string
  port: number
  /** All requests in order of arrival, `/__mock` left out. Live: fields fill in as things happen. */
  requests: Seen[]
  house: House
  /** Requests being answered now, and the most there ever were. */
  inFlight: number
  peak: number
  /**
   * One behaviour a request, then the last one stays. The key is a model's name, a path (`/api/tags`), or `*` for any
   * request that has no other plan. A path comes before a model, a model before a fault in its name, `*` last.
   */
  plan(key: string, behaviours: readonly Planned[]): void
  /** The requests of a model. */
  of(model: string): Seen[]
  bill(): Bill
  /** Forgets requests and plans. */
  reset(): void
  /** Refuses connections and resets those there are, until `up()`, on the same port. */
  down(): void
  up(): void
  /** Resolves as soon as `test` holds of the requests, looked at every 5 ms. @throws after `ms` */
  until(test: (requests: Seen[]) => boolean, ms?: number): Promise<void>
  stop(): void
}

export async function startMock(options: MockOptions = {}): Promise<Mock> {
  const plans = new Map<string, Behaviour[]>()
  let serial = 0
  let listener: Listener | undefined
  const slots = new Slots(options.slots ?? Number.POSITIVE_INFINITY)

  const next = (key: string | undefined): Behaviour | undefined => {
    const queue = key === undefined ? undefined : plans.get(key)
    return queue && queue.length > 1 ? queue.shift() : queue?.[0]
  }

  async function handle(request: Request, connection: Connection): Promise<boolean> {
    if (request.path.startsWith('/__mock/')) return control(mock, request, connection)
    const body = parseBody(request.body)
    // Whoever only wants to see how a prompt is put asks for nothing.
    if (isRendering(body)) return await rendered(body, connection)
    const seen = see(++serial, request, connection, body)
    const model = pathOf(request.path)?.model ?? modelOf(body)
    if (model !== undefined) seen.model = model
    // A gateway that looks whether we are there asks for nothing.
    if (request.headers['user-agent'] !== 'tollgate-watch') mock.requests.push(seen)
    mock.peak = Math.max(mock.peak, ++mock.inFlight)
    const before = { sent: connection.sent, waited: connection.waited }
    let taken = false
    try {
      seen.behaviour = next(request.path) ?? next(model) ?? fromModel(model ?? '') ?? next('*') ?? {}
      if (model !== undefined && !(await slots.take(connection))) return false
      taken = model !== undefined
      const again = await answerRoute({
        seen,
        connection,
        house: mock.house,
        body,
        options: { words: DEFAULT_WORDS, ...options },
      })
      return again && !/\bclose\b/i.test(request.headers.connection ?? '')
    } catch (cause) {
      // A mistake of the test (an unknown fault's name) or of the mock: say it where it will be seen.
      const said = JSON.stringify({
        error: { message: `mock: ${cause instanceof Error ? cause.message : String(cause)}` },
      })
      await connection.write(`HTTP/1.1 599 Mock Failed\r\ncontent-length: ${Buffer.byteLength(said)}\r\n\r\n${said}`)
      seen.status = 599
      return true
    } finally {
      if (taken) slots.give()
      mock.inFlight--
      seen.sentBytes = connection.sent - before.sent
      seen.waitedMs = Math.round(connection.waited - before.waited)
      const left = connection.closed && !connection.byUs
      if (left && seen.doneAt === undefined) seen.abortedAt = Date.now() - seen.at
    }
  }

  const mock: Mock = {
    url: '',
    port: options.port ?? 0,
    requests: [],
    house: new House(options.models),
    inFlight: 0,
    peak: 0,
    plan(key, behaviours) {
      plans.set(key, behaviours.map(resolve))
    },
    of: (model) => mock.requests.filter((seen) => seen.model === model),
    bill: () => billOf(mock.requests),
    reset() {
      plans.clear()
      mock.requests.length = 0
      mock.peak = mock.inFlight
    },
    down() {
      listener?.stop()
      listener = undefined
    },
    up() {
      listener ??= listen(mock.port, handle)
    },
    async until(test, ms = 5000) {
      const end = Date.now() + ms
      while (!test(mock.requests)) {
        if (Date.now() > end) {
          const had = mock.requests.map(({ id, model, path, status }) => `${id} ${path} ${model} ${status}`)
          throw new Error(`the mock waited ${ms} ms in vain; it saw: ${had.join('; ') || 'nothing'}`)
        }
        await Bun.sleep(5)
      }
    },
    stop: () => mock.down(),
  }
  listener = listen(mock.port, handle)
  mock.port = listener.port
  mock.url = `http://127.0.0.1:${mock.port}`
  return mock
}

/** A bounded number of places and the line before them. */
class Slots {
  #free: number
  #line: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  /** @returns false where the client left before a place was free */
  async take(connection: Connection): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--
      return true
    }
    const { promise, resolve: enter } = Promise.withResolvers<void>()
    this.#line.push(enter)
    await Promise.race([promise, connection.gone])
    if (!connection.closed) return true
    const at = this.#line.indexOf(enter)
    if (at >= 0) this.#line.splice(at, 1)
    else this.give()
    return false
  }

  give(): void {
    const next = this.#line.shift()
    if (next) next()
    else this.#free++
  }
}

/** @throws Error for a name that is not known. */
const resolve = (planned: Planned): Behaviour =>
  typeof planned === 'string' ? (fromModel(`!${planned}`) ?? {}) : planned

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

interface Rendering {
  model: string
  messages: { content: string }[]
}

/** Ollama's `_debug_render_only`. */
const isRendering = (body: unknown): body is Rendering =>
  (body as { _debug_render_only?: boolean } | undefined)?._debug_render_only === true

/** A model whose name begins with `closes` ends the last turn, whoever has it, as some templates do. */
async function rendered({ model, messages }: Rendering, connection: Connection): Promise<boolean> {
  const rendered_template =
    messages.map(({ content }) => content).join('\n') + (model.startsWith('closes') ? '<end>' : '')
  const said = JSON.stringify({ model, done: false, _debug_info: { rendered_template } })
  await connection.write(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(said)}\r\n\r\n${said}`,
  )
  return true
}

function modelOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const { model, name } = body as { model?: unknown; name?: unknown }
  return typeof model === 'string' ? model : typeof name === 'string' ? name : undefined
}

/** `/__mock/…`: the same controls over HTTP, for a mock in its own process. */
async function control(mock: Mock, request: Request, connection: Connection): Promise<boolean> {
  const reply = (status: number, value: unknown): Promise<boolean> => {
    const text = JSON.stringify(value)
    const head = `HTTP/1.1 ${status} Mock\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}`
    return connection.write(`${head}\r\n\r\n${text}`)
  }
  const route = `${request.method} ${request.path}`
  if (route === 'GET /__mock/requests') return reply(200, mock.requests)
  if (route === 'GET /__mock/bill') return reply(200, mock.bill())
  if (route === 'GET /__mock/faults') return reply(200, Object.keys(named))
  if (route === 'POST /__mock/reset') {
    mock.reset()
    return reply(200, { ok: true })
  }
  if (route === 'POST /__mock/plan') {
    try {
      const { key, model, behaviours } = JSON.parse(request.body.toString()) as Record<string, unknown>
      const name = key ?? model
      if (typeof name !== 'string' || !Array.isArray(behaviours)) throw new Error('send {model, behaviours: […]}')
      mock.plan(name, behaviours as Planned[])
      return reply(200, { ok: true })
    } catch (cause) {
      return reply(400, { error: String(cause) })
    }
  }
  return reply(404, { error: 'the mock has /__mock/requests, bill, faults, plan, reset' })
}
