/** One request to one target that is not repeated: hold → send → pass the answer on. For what is no call of a model. */
import { estimate } from '../../core/estimate.ts'
import { UpstreamFailure } from '../../core/failure.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Target } from '../../core/target.ts'
import { NO_USAGE } from '../../core/usage.ts'
import type { ForwardDialect } from '../../dialects/dialect.ts'
import { textBytes } from '../../dialects/multipart.ts'
import type { OpenHold } from '../../store/ledger.ts'
import { failureOf, thrown } from '../../upstream/classify.ts'
import type { Link } from '../../upstream/link.ts'
import type { Call } from '../call.ts'
import { begin, conclude, endAttempt, failAttempt, used } from '../conclude.ts'
import { deliver } from '../deliver.ts'
import { forwarded } from '../forwarded.ts'
import { gaveUp } from '../gave-up.ts'
import type { Io } from '../io.ts'
import { loadsFor } from '../loads.ts'
import { attemptEnd } from '../patience.ts'
import { readWhole } from '../read-whole.ts'
import { takeRoom } from '../room.ts'
import { setAside } from '../set-aside.ts'

export interface Errand {
  link: Link
  method: string
  url: string
  /** The caller's own that go along; credentials are never among them. */
  headers: Readonly<Record<string, string>>
  /** Undefined: none. */
  body: Uint8Array | undefined
}

/** Headers of an answer that mean something to the caller. */
const PASSED_BACK = ['content-disposition', 'retry-after', 'openai-processing-ms', 'openai-version', 'request-id']
/** Nobody knows how many it is before it has been. */
const NO_TOKENS = { input: 0, output: 0 }
/** An upstream's error is not longer than this. */
const LONGEST_ERROR = 64 * 1024

/** Sets the most aside that it can cost, in full: an answer of unknown shape cannot be cut to fit. */
export function holdFor(call: Call, io: Io, target: Target): Promise<OpenHold> {
  const { experience } = io.state(target)
  const bytes = call.form ? textBytes(call.form) : call.bytes.byteLength
  return setAside(call, io, target, (price) => {
    const loads = loadsFor(call, price, target, experience)
    const tokens = estimate(experience, bytes, bytes === 0 ? 0 : call.peek.maxTokens, call.peek.n, target, loads)
    return { price, tokens: { ...tokens, outputLeast: tokens.outputMost } }
  })
}

/**
 * Runs it and answers with what came: its status, its body, its usage charged.
 * @throws Refusal where nothing came that may be passed on
 */
export async function run(call: Call, io: Io, errand: Errand): Promise<Response> {
  const { target } = errand.link
  const hold = await holdFor(call, io, target)
  call.attempts++
  begin(io, target)
  takeRoom(io, NO_TOKENS, hold)
  try {
    const { response, abort, disarm } = await send(call, io, errand, hold)
    try {
      if (!response.ok) return await passError(call, io, errand.link, hold, response)
      if (response.status === 204 || !response.body) return passNothing(call, io, hold, response)
      call.answer = await forwarded(call, io, errand.link, hold, response, abort)
    } finally {
      disarm()
    }
    const answer = deliver(call, io)
    for (const [name, value] of Object.entries(passedBack(response))) answer.headers.set(name, value)
    return response.status === 200
      ? answer
      : new Response(answer.body, { status: response.status, headers: answer.headers })
  } catch (cause) {
    if (call.answer || cause instanceof Refusal) throw cause
    const { failure } =
      cause instanceof UpstreamFailure ? cause : (thrown(cause, call.leaving.aborted) as UpstreamFailure)
    failAttempt(call, io, hold, failure, used(undefined, hold, 0, failure.kind === 'cancelled'), undefined)
    throw gaveUp(call)
  }
}

/** Fetches; never follows a redirect. Until `disarm` the caller's leaving and the target's time end it. */
async function send(call: Call, io: Io, { link, method, url, headers, body }: Errand, hold: OpenHold) {
  const abort = new AbortController()
  const signal = call.leaving
  const leave = () => abort.abort()
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) abort.abort()
  let late: UpstreamFailure | undefined
  const { startedAt } = hold.attempt
  const end = attemptEnd(call, link.target, startedAt)
  const deadline = io.deadlines.arm(end, () => {
    late = new UpstreamFailure({ kind: 'timeout', status: 0, message: `No answer within ${end - startedAt} ms.` })
    abort.abort()
  })
  const disarm = () => {
    io.deadlines.disarm(deadline)
    signal.removeEventListener('abort', leave)
  }
  try {
    const authorized = await link.authorized({ method, url, body: body ?? '' })
    const all: Record<string, string> = { ...authorized, ...headers }
    if (body === undefined) delete all['content-type']
    const init = { method, headers: all, signal: abort.signal }
    const response = await link.fetch(
      url,
      body === undefined ? init : { ...init, body: body as Uint8Array<ArrayBuffer> },
    )
    return { response, abort, disarm }
  } catch (cause) {
    disarm()
    throw late ?? cause
  }
}

/**
 * The provider's own error, in its own words but without our credentials. What says something of our credentials, of our
 * addresses or is no JSON is told in words of ours.
 */
async function passError(call: Call, io: Io, link: Link, hold: OpenHold, response: Response): Promise<Response> {
  const { status } = response
  const body = await readWhole(response, LONGEST_ERROR).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  )
  const failure = failureOf(response, body, call.door.dialect as ForwardDialect, link.provider)
  const isOurs = status < 400 || status === 401
  // A thing that is not there, or must not be done, says nothing of the target.
  if (status >= 400 && status < 500 && ![401, 402, 408, 429].includes(status)) failure.kind = 'caller'
  failAttempt(call, io, hold, failure, { usage: NO_USAGE, source: 'none' }, undefined)
  if (isOurs || !/^application\/(problem\+)?json\b/i.test(response.headers.get('content-type') ?? ''))
    throw gaveUp(call)
  conclude(call, io, status, failure.kind, NO_USAGE, 0, failure.message)
  return new Response(link.scrub(body), {
    status,
    headers: { ...passedBack(response), ...known(call, link, response) },
  })
}

function passNothing(call: Call, io: Io, hold: OpenHold, response: Response): Response {
  const cost = endAttempt(call, io, hold, {
    outcome: 'ok',
    status: response.status,
    usage: NO_USAGE,
    source: 'none',
    firstMs: undefined,
  })
  conclude(call, io, response.status, 'ok', NO_USAGE, cost)
  return new Response(null, { status: response.status, headers: { 'x-request-id': call.id } })
}

const known = (call: Call, link: Link, response: Response): Record<string, string> => ({
  'content-type': response.headers.get('content-type') ?? 'application/json',
  'x-request-id': call.id,
  'x-litellm-call-id': call.id,
  'x-tollgate-served-by': link.servedBy,
})

function passedBack(response: Response): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of PASSED_BACK) {
    const value = response.headers.get(name)
    if (value !== null) headers[name] = value
  }
  return headers
}
