/** The answer on its way to the caller, and the end of the request when it has gone. */
import { UpstreamFailure } from '../core/failure.ts'
import { Refusal } from '../core/refusal.ts'
import { addUsage, NO_USAGE, type Usage } from '../core/usage.ts'
import type { Json } from '../dialects/canonical.ts'
import type { ChatDialect, Dialect, ForwardDialect } from '../dialects/dialect.ts'
import { INTERRUPTED } from '../dialects/openai/interrupted.ts'
import type { StreamAnswer, WholeAnswer } from './answer.ts'
import type { Call } from './call.ts'
import { conclude, cutBy, settleAttempt, used } from './conclude.ts'
import type { Heard } from './counting/kept.ts'
import { answerHeaders, costHeaders } from './headers.ts'
import type { Io } from './io.ts'
import { attemptEnd, IMPATIENT_IDLE_MS } from './patience.ts'
import { isKept, Keeper, keep } from './recollect.ts'
import { mayResume, resume, Sent, wayOn } from './resume.ts'

/** Builds the whole Response ourselves: Elysia's `set.headers` corrupts UTF-8 in streamed Responses. */
export function deliver(call: Call, io: Io): Response {
  const { answer } = call
  if (!answer) throw new Error('deliver was called without an answer')
  return answer.kind === 'whole' ? deliverWhole(call, io, answer) : deliverStream(call, io, answer)
}

function deliverWhole(call: Call, io: Io, answer: WholeAnswer): Response {
  const charged = used(answer.usage, answer.hold, 0, isEstimated(call.door.dialect))
  const ending = { outcome: 'ok', status: 200, ...charged, firstMs: answer.firstMs }
  call.ending = 'ok'
  let cost: number | undefined
  settleAttempt(call, io, answer.hold, ending, { heard: () => heardOf(call, answer) }, (usage, charge) => {
    cost = charge
    conclude(call, io, 200, 'ok', usage, charge)
  })
  if (isKept(call, io)) keep(call, io, JSON.parse(textOf(answer.body)) as Json)
  const headers = answerHeaders(call, answer, io.now())
  headers['content-type'] = answer.contentType
  // What has to be counted first is not waited for: its cost stands in the ledger.
  if (cost !== undefined) costHeaders(headers, call, io, cost)
  return new Response(answer.body, { headers })
}

/** A whole answer as it is delivered: in the caller's dialect, whoever gave it. */
function heardOf(call: Call, { body }: WholeAnswer): Heard {
  const bytes = typeof body === 'string' ? encode(body) : body
  return { dialect: call.door.dialect.id, isStream: false, body: bytes, length: bytes.byteLength }
}

/** Whether an answer without a report is charged an estimate: images and speech have no tokens to estimate. */
const isEstimated = (dialect: Dialect): boolean => dialect.op !== 'forward' || dialect.isEstimated === true

/** A finished stream whose end does not come is ended by us after this long. */
const GRACE_MS = 1_500
/** Tokens by which the hold of a growing answer is raised. */
const TOP_UP = 256
/** So long a stream may be slower than its floor. */
const DRIP_MS = 5_000

function deliverStream(call: Call, io: Io, answer: StreamAnswer): Response {
  // Nothing of it has left: it can be refused as any other answer is.
  if (answer.source.refused && answer.prefix.length === 0) throw answer.source.refused
  const dialect = call.door.dialect as ChatDialect | ForwardDialect
  let { source, hold } = answer
  const { target } = answer.link
  const { heartbeatMs } = io.settings
  const heart =
    heartbeatMs > 0 && dialect.op === 'chat' && dialect.heartbeat !== '' ? encode(dialect.heartbeat) : undefined
  const alternatives = call.stages.reduce((n, s) => n + s.targets.length, 0) > 1
  const idleMs = alternatives ? Math.min(IMPATIENT_IDLE_MS, target.timeouts.idle) : target.timeouts.idle
  let totalAt = attemptEnd(call, target, hold.attempt.startedAt)
  const sent = mayResume(call, io, dialect) ? new Sent() : undefined
  let open = true
  const reshape = call.door.reshape?.()
  let controller: ReadableStreamDefaultController<Uint8Array>

  const keeper = isKept(call, io) ? new Keeper() : undefined
  const emit = (bytes: Uint8Array) => {
    keeper?.push(bytes)
    sent?.push(bytes)
    if (!reshape) return controller.enqueue(bytes)
    const text = reshape.push(bytes)
    if (text !== '') controller.enqueue(encode(text))
  }
  const finish = () => {
    if (reshape) controller.enqueue(encode(reshape.end()))
    controller.close()
  }

  // Two clocks: the upstream's silence, and ours towards the caller.
  let heardAt = io.now()
  const silence = io.deadlines.arm(Math.min(heardAt + idleMs, totalAt), (now) => {
    // What it holds back is being looked at: that has a timeout of its own.
    if (source.busy && now < totalAt) {
      silence.at = Math.min(now + GRACE_MS, totalAt)
      return
    }
    if (source.finished && !source.busy) return void end()
    const limit =
      now >= totalAt
        ? `the whole answer took longer than ${totalAt - hold.attempt.startedAt} ms`
        : `nothing came for ${idleMs} ms`
    source.break(new UpstreamFailure({ kind: 'timeout', status: 0, message: `The stream was given up: ${limit}.` }))
  })
  const pulse = io.deadlines.arm(heart ? heardAt + heartbeatMs : Number.POSITIVE_INFINITY, (now) => {
    if (open && heart && (controller.desiredSize ?? 0) >= 0) emit(heart)
    pulse.at = now + heartbeatMs
  })

  /** An answer that has grown past what its hold pays for: takes more, or says what the caller is told. */
  const topUp = (): Refusal | undefined => {
    // Each frame with content is at least one token; some providers count as they go.
    const come = Math.max(source.contentFrames, source.usage?.output ?? 0)
    const missing = come - hold.covers.output
    // At the very end of it most answers are done: only the finish is still to come.
    if (missing <= 0) return undefined
    return io.ledger.extend(hold, missing, missing + TOP_UP, call.snapshot.policy.budgetStatus)
  }

  /** What attempts before this one were charged, whose answer goes on in it. */
  const before = { usage: { ...NO_USAGE }, cost: 0 }
  let isBooked = false

  /** The one way out: settles, lets go, logs. */
  const close = (outcome: string, failure?: UpstreamFailure) => {
    open = false
    call.ending = outcome
    io.deadlines.disarm(silence)
    io.deadlines.disarm(pulse)
    call.leaving.removeEventListener('abort', onLeave)
    const over = (usage: Usage, cost: number) => {
      addUsage(before.usage, usage)
      conclude(call, io, 200, outcome, before.usage, before.cost + cost, failure?.failure.message)
    }
    // It was settled when it broke, and nobody went on.
    if (isBooked) return over(NO_USAGE, 0)
    const charged = used(source.usage, hold, source.contentFrames, isEstimated(dialect))
    const status = failure?.failure.status ?? 200
    const ending = { outcome, status, ...charged, firstMs: answer.firstMs }
    const told = { failure: failure?.failure, heard: () => source.heard() }
    settleAttempt(call, io, hold, ending, told, over)
  }

  let isEnding = false

  /** The upstream is done: the stream gets the end that its clients wait for, or an error they can see. */
  const end = async () => {
    if (!open || isEnding) return
    isEnding = true
    try {
      if (source.refused) throw source.refused
      const rest = sawEnd ? undefined : await source.rest()
      if (!open) return
      if (rest && rest.byteLength > 0) emit(rest)
    } catch (cause) {
      return cut(Refusal.from(cause), 'content_policy_violation')
    }
    if (!sawEnd) {
      const last = source.end()
      if (last !== '') emit(encode(last))
    }
    close('ok')
    if (keeper?.response) keep(call, io, keeper.response)
    finish()
    source.hangUp()
  }

  const fail = (failure: UpstreamFailure) => {
    if (!open) return
    const told = new Refusal('stream_interrupted', INTERRUPTED, { private: failure.failure.message })
    const events = answer.contentType === undefined || /event-stream/i.test(answer.contentType)
    if (events) emit(encode(source.error(told)))
    close(failure.failure.kind, failure)
    // Bytes without frames have no words for it: the connection is cut, so that the answer does not look whole.
    if (events) finish()
    else controller.error(failure)
    source.hangUp()
  }

  /** The money, or the caller's leave, is at its end before the answer is: it does not run free, and does not look whole. */
  const cut = (refusal: Refusal, outcome: 'budget_exceeded' | 'revoked' | 'content_policy_violation') => {
    if (!open) return
    const events = answer.contentType === undefined || /event-stream/i.test(answer.contentType)
    if (events) emit(encode(source.error(refusal)))
    close(outcome)
    if (events) finish()
    else controller.error(refusal)
    source.hangUp()
  }

  /** A caller who hangs up cancels the stream himself. */
  const onLeave = () => {
    const { revoked } = call.leaving
    if (revoked) cut(revoked, cutBy(revoked))
  }

  /** Another target goes on with what was said. Whether one does. */
  const goOn = async (failure: UpstreamFailure): Promise<boolean> => {
    const way = sent && !source.finished ? wayOn(call, io, sent) : undefined
    if (!way) return false
    // Nobody's silence but that of the attempt that goes on, which has clocks of its own.
    silence.at = Number.POSITIVE_INFINITY
    const attempts = call.attempts
    isBooked = true
    const next = await resume(call, io, { ...answer, source, hold }, failure, way, (usage, cost) => {
      addUsage(before.usage, usage)
      before.cost += cost
    })
    if (!next) return false
    source = next.source
    hold = next.hold
    Object.assign(pace, { at: io.now(), frames: 0 })
    isBooked = false
    if (!open) {
      // The caller left meanwhile.
      close('aborted')
      source.hangUp()
      return true
    }
    io.warn('An answer that broke off goes on at another target.', {
      request_id: call.id,
      attempts: call.attempts - attempts,
      target: next.link.target.id,
    })
    totalAt = attemptEnd(call, next.link.target, hold.attempt.startedAt)
    heardAt = io.now()
    silence.at = Math.min(heardAt + idleMs, totalAt)
    for (const part of next.prefix) emit(part)
    return true
  }

  /** Whether it has been slower than its floor for a while, where somebody else could do better. */
  const floor = alternatives ? call.snapshot.policy.leastTokensPerS : 0
  const pace = { at: heardAt, frames: 0 }
  const drips = (now: number): boolean => {
    if (floor === 0 || source.finished || now - pace.at < DRIP_MS) return false
    const rate = ((source.contentFrames - pace.frames) * 1_000) / (now - pace.at)
    Object.assign(pace, { at: now, frames: source.contentFrames })
    return rate < floor
  }

  /** The end of an answer waits for guardrails that look beside its request: what they refuse must not look whole. */
  const lookedAt = async (): Promise<void> => {
    silence.at = Number.POSITIVE_INFINITY
    await call.screening?.beside
    silence.at = Math.min(io.now() + GRACE_MS, totalAt)
  }
  const waits = (): boolean => source.finished && call.screening?.beside !== undefined
  const emitPrefix = () => {
    for (const part of answer.prefix) emit(part)
    answer.prefix = []
  }

  let sawEnd = false
  const stream = new ReadableStream<Uint8Array>(
    {
      start(c) {
        controller = c
        // All of it may have come at once.
        if (!waits()) emitPrefix()
        call.leaving.addEventListener('abort', onLeave, { once: true })
        onLeave()
      },
      async pull() {
        for (;;) {
          try {
            if (answer.prefix.length > 0) {
              await lookedAt()
              if (open) emitPrefix()
              return
            }
            // An empty part is a frame that says nothing to this caller: read on.
            for (;;) {
              // It may have come to its end, and not out.
              if (source.refused) throw source.refused
              sawEnd = source.ended && source.finished
              const part = sawEnd ? undefined : await source.read()
              if (open && waits()) await lookedAt()
              if (!open) return
              if (part === undefined && source.finished) return await end()
              if (part === undefined) throw brokenOff()
              const outOfMoney = source.finished ? undefined : topUp()
              if (outOfMoney) return cut(outOfMoney, 'budget_exceeded')
              heardAt = io.now()
              silence.at = Math.min(source.finished ? heardAt + GRACE_MS : heardAt + idleMs, totalAt)
              if (drips(heardAt)) throw tooSlow(floor)
              // What is held back is no sign of life.
              if (part.byteLength === 0) continue
              if (heart) pulse.at = heardAt + heartbeatMs
              emit(part)
              return
            }
          } catch (cause) {
            if (cause instanceof Refusal) return cut(cause, cutBy(cause))
            const failure =
              cause instanceof UpstreamFailure
                ? cause
                : new UpstreamFailure({ kind: 'bad_reply', status: 200, message: String(cause) })
            if (!open) return
            if (!(await goOn(failure))) return fail(failure)
          }
        }
      },
      cancel() {
        if (!open) return
        close('aborted')
        source.hangUp()
      },
    },
    { highWaterMark: 0 },
  )
  const headers = answerHeaders(call, answer, io.now())
  headers['content-type'] = answer.contentType ?? reshape?.contentType ?? contentTypeOf(dialect)
  headers['cache-control'] = 'no-cache'
  headers['x-accel-buffering'] = 'no'
  return new Response(stream, { headers })
}

const tooSlow = (floor: number): UpstreamFailure =>
  new UpstreamFailure({ kind: 'timeout', status: 200, message: `It drips: fewer than ${floor} tokens a second.` })

const brokenOff = (): UpstreamFailure =>
  new UpstreamFailure({ kind: 'bad_reply', status: 200, message: 'The stream ended before the answer did.' })

const contentTypeOf = (dialect: ChatDialect | ForwardDialect): string =>
  dialect.op === 'forward' || dialect.framing === 'sse' ? 'text/event-stream; charset=utf-8' : 'application/x-ndjson'

const textOf = (body: Uint8Array | string): string => (typeof body === 'string' ? body : new TextDecoder().decode(body))

const encoder = new TextEncoder()
const encode = (text: string): Uint8Array => encoder.encode(text)
