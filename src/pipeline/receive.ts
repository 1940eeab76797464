import { Refusal } from '../core/refusal.ts'
import { isForm, peekForm, readForm } from '../dialects/multipart.ts'
import { peek } from '../dialects/peek.ts'
import { splice } from '../dialects/splice.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { readBounded } from './read-bounded.ts'
import { readWishes } from './wishes.ts'

/** Reads the body, never more than the limit, and looks for the few things that decide the way. */
export async function receive(call: Call, io: Io): Promise<void> {
  const { request, door } = call
  await receiveBytes(call, io)
  const contentType = request.headers.get('content-type')
  if (door.dialect.op === 'forward' && isForm(contentType)) {
    call.form = readForm(call.bytes, contentType)
    call.peek = peekForm(call.bytes, call.form, door.dialect)
    return
  }
  // A model that the path names (Azure's deployments) stands in the body as well, for whoever gets it.
  if (door.said && !door.dialect.fields.asksInPath) call.bytes = splice(call.bytes, { model: door.said.model })
  call.peek = peek(call.bytes, door.dialect, door.said)
  call.wishes = readWishes(call)
}

/** Only the bytes. @throws Refusal body_too_large, client_closed */
export async function receiveBytes(call: Call, io: Io): Promise<void> {
  const { request } = call
  const limit = io.settings.bodyLimit
  const declared = request.headers.get('content-length')
  if (declared !== null && Number(declared) > limit) throw tooLarge(limit)
  try {
    const whole = declared !== null ? request.bytes() : readBounded(request.body, limit, () => tooLarge(limit))
    call.bytes = await inTime(whole, io)
    call.received = call.bytes
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw new Refusal('client_closed', 'The request ended before its body was whole.', { private: String(cause) })
  }
}

/** A body that comes a byte at a time would keep its connection, and what has come of it, for ever. */
async function inTime(whole: Promise<Uint8Array>, io: Io): Promise<Uint8Array> {
  const { promise, reject } = Promise.withResolvers<never>()
  const ms = io.settings.bodyTimeoutMs
  const deadline = io.deadlines.arm(io.now() + ms, () => reject(tooSlow(ms)))
  try {
    return await Promise.race([whole, promise])
  } finally {
    io.deadlines.disarm(deadline)
  }
}

const tooSlow = (ms: number): Refusal =>
  new Refusal('request_timeout', `The request did not come in whole within ${ms / 1000} s (tollgate.timeouts.body).`)

function tooLarge(limit: number): Refusal {
  return new Refusal(
    'body_too_large',
    `The request is larger than ${Math.floor(limit / 1024 / 1024)} MB, the most this gateway reads (tollgate.body_limit_mb).`,
  )
}
