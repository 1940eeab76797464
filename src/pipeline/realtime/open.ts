/** The way into a conversation: the same key, model, limits and money as everywhere, then a provider, then the caller's socket. */
import { UpstreamFailure } from '../../core/failure.ts'
import { Refusal } from '../../core/refusal.ts'
import { NO_USAGE } from '../../core/usage.ts'
import { keepers } from '../../upstream/registry.ts'
import { authenticate } from '../authenticate.ts'
import { Call } from '../call.ts'
import { conclude } from '../conclude.ts'
import { gaveUp } from '../gave-up.ts'
import type { Door, Io } from '../io.ts'
import { limit } from '../limit.ts'
import { mayUse, plan } from '../plan.ts'
import { refuse } from '../refuse.ts'
import { mayGoUnseen } from '../whose-guards.ts'
import { type Connection, connectTo } from './connect.ts'
import { Purse } from './purse.ts'
import { Session } from './session.ts'
import type { SocketDoor } from './talk.ts'

const KEY_PROTOCOL = 'openai-insecure-api-key.'
const BETA_PROTOCOL = 'openai-beta.realtime-v1'

/** Never more than 60 s, whatever the target's timeout is: nobody waits longer for a conversation to begin. */
const LONGEST_CONNECT = 60_000

export async function openRealtime(io: Io, request: Request, door: Door, sockets: SocketDoor): Promise<Response> {
  const call = new Call(io.ledger.nextOperation(), io.now(), request, door, io.snapshot())
  const offered = (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((p) => p.trim())
  const headers = withKey(request.headers, offered)
  const gone = new AbortController()
  try {
    const who = await authenticate(call, io, headers)
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
      throw new Refusal('invalid_request', 'This route is a WebSocket: connect with wss:// (or ws://) and ?model=….', {
        status: 426,
      })
    const model = new URL(request.url).searchParams.get('model')
    if (!model) throw new Refusal('invalid_request', "Name the model in the address: '?model=…'.", { param: 'model' })
    call.peek = { model, stream: true, includeUsage: false, n: 1, scan: { keys: new Map(), duplicates: [], open: 0 } }
    plan(call, io)
    mayGoUnseen(call, io, 'realtime conversations', 'Ask by /v1/chat/completions or /v1/responses.')
    await limit(call, io, 'generation')
    const beta = offered.includes(BETA_PROTOCOL) || /realtime=v1/.test(request.headers.get('openai-beta') ?? '')
    const { connection, purse } = await connectFirst(call, io, beta, gone)
    const stillMay = () => {
      call.who = io.still(who)
      const revoked = call.leaving.revoked
      if (revoked) throw revoked
      mayUse(call, io)
    }
    const session = new Session(call, io, connection, purse, stillMay, gone)
    // Never the one that holds the key.
    const protocol =
      offered.find((p) => p === 'realtime') ?? offered.find((p) => p !== '' && !p.startsWith(KEY_PROTOCOL))
    if (sockets.accept(request, session, protocol)) return new Response(null)
    session.left()
    throw new Refusal('client_closed', 'The caller left.')
  } catch (cause) {
    gone.abort()
    if (!call.concluded) return refuse(call, io, cause)
    conclude(call, io, 499, 'client_closed', NO_USAGE, 0)
    return new Response(null, { status: 499 })
  }
}

/** The first target that talks and can be paid and reached. @throws Refusal */
async function connectFirst(
  call: Call,
  io: Io,
  beta: boolean,
  gone: AbortController,
): Promise<{ connection: Connection; purse: Purse }> {
  const targets = call.stages.flatMap((s) => s.targets).filter((t) => io.link(t).place('realtime') !== undefined)
  if (targets.length === 0)
    throw new Refusal(
      'unsupported_parameter',
      `The provider of '${call.peek.model}' has no realtime. Name a model of one that has: ${keepers('realtime').join(', ')}.`,
      { param: 'model' },
    )
  let refused: unknown
  for (const target of targets.slice(0, call.snapshot.policy.maxAttempts)) {
    const purse = new Purse(call, io, target, gone.signal)
    try {
      await purse.prepare()
      const ms = Math.min(target.timeouts.firstByte, LONGEST_CONNECT)
      const connection = await connectTo(io.link(target), beta, ms, call.leaving)
      // From here on it is this one.
      call.stages = [{ alias: target.alias, targets: [target] }]
      return { connection, purse }
    } catch (cause) {
      purse.end()
      if (cause instanceof Refusal) {
        refused ??= cause
        continue
      }
      if (!(cause instanceof UpstreamFailure)) throw cause
      const failure = { ...cause.failure, message: io.link(target).scrub(cause.failure.message) }
      call.failures.push({ target, failure })
      io.warn('A conversation could not begin.', { request_id: call.id, target: target.id, told: failure.message })
    }
  }
  throw refused ?? gaveUp(call)
}

/** Browsers can send no headers with a WebSocket: there the key is one of the protocols that are offered. */
function withKey(headers: Headers, offered: readonly string[]): Headers {
  const key = offered.find((p) => p.startsWith(KEY_PROTOCOL))?.slice(KEY_PROTOCOL.length)
  if (!key || headers.has('authorization')) return headers
  const all = new Headers(headers)
  all.set('authorization', `Bearer ${key}`)
  return all
}
