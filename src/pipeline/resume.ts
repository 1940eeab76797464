/**
 * An answer that breaks off in the middle goes on at another target, which is given what was said as the beginning of its
 * own (`midstream: continue`), or says it again from its beginning (`restart`). Only where it can be right: text alone, one
 * choice, a target that takes a beginning. Everything else ends with an error that the caller sees.
 */

import { UpstreamFailure } from '../core/failure.ts'
import { Join } from '../core/join.ts'
import type { Stage } from '../core/stage.ts'
import type { Usage } from '../core/usage.ts'
import type { Chat, Event } from '../dialects/canonical.ts'
import type { ChatDialect, Dialect } from '../dialects/dialect.ts'
import { NdjsonFramer } from '../dialects/ndjson.ts'
import { SseFramer } from '../dialects/sse.ts'
import type { Gate } from '../guardrails/gate.ts'
import type { StreamAnswer } from './answer.ts'
import { attempt } from './attempt.ts'
import { Call } from './call.ts'
import { canonicalOf } from './compose.ts'
import { settleAttempt, used } from './conclude.ts'
import type { Io } from './io.ts'
import type { Source } from './source.ts'

/** What goes on with an answer, in place of a writer of its own. */
export interface Resumed {
  /** Has said everything that was said already. */
  write(event: Event): string
  /** What becomes of the events of the target that goes on. */
  turn(event: Event): Event[]
  /** What looks at the answer, as far as it has seen it. */
  gate: Gate | undefined
}

/** More than this is not kept for going on. */
const LONGEST = 1024 * 1024

/** What a caller was sent, for as long as it may be needed. */
export class Sent {
  #parts: Uint8Array[] | undefined = []
  #length = 0

  push(bytes: Uint8Array): void {
    if (!this.#parts) return
    this.#length += bytes.byteLength
    if (this.#length > LONGEST) this.#parts = undefined
    else this.#parts.push(bytes)
  }

  /** Undefined where it was too much. */
  get bytes(): readonly Uint8Array[] | undefined {
    return this.#parts
  }
}

/** Whether an answer of this call may go on elsewhere, so that what is sent has to be kept. */
export function mayResume(call: Call, io: Io, dialect: Dialect): boolean {
  if (dialect.op !== 'chat' || call.snapshot.policy.midstream === 'error' || call.peek.n !== 1) return false
  return targetsFor(call, io).length > 0
}

/** Targets that could go on with it, as far as that is known without asking. */
function targetsFor(call: Call, io: Io): Stage[] {
  const { midstream } = call.snapshot.policy
  const tried = new Set(call.failures.map((f) => f.target.id))
  const stages = call.stages.map((stage) => ({
    ...stage,
    targets: stage.targets.filter(
      (t) =>
        !tried.has(t.id) &&
        t.id !== call.answer?.link.target.id &&
        (midstream === 'restart' || (t.abilities.prefill ?? io.link(t).provider.goesOn !== undefined)),
    ),
  }))
  return stages.filter((stage) => stage.targets.length > 0)
}

/** Of these, who really goes on with a beginning. */
async function whoGoesOn(io: Io, stages: readonly Stage[]): Promise<Stage[]> {
  const asked = stages.map(async (stage) => {
    const able = await Promise.all(stage.targets.map((target) => io.goesOn(io.link(target))))
    return { ...stage, targets: stage.targets.filter((_, i) => able[i]) }
  })
  return (await Promise.all(asked)).filter((stage) => stage.targets.length > 0)
}

/** How an answer could go on. */
export interface WayOn {
  stages: readonly Stage[]
  events: readonly Event[]
  join: Join
}

/** Undefined where it can't be right, or nobody could. */
export function wayOn(call: Call, io: Io, sent: Sent): WayOn | undefined {
  const { maxAttempts, midstream } = call.snapshot.policy
  if (midstream === 'error' || call.attempts >= maxAttempts || call.leaving.aborted) return undefined
  const events = sent.bytes && eventsOf(call.door.dialect as ChatDialect, sent.bytes)
  const said = events && textOf(events)
  const stages = targetsFor(call, io)
  if (!events || said === undefined || said === '' || stages.length === 0) return undefined
  // The model knows placeholders where the caller was given values.
  return { stages, events, join: new Join(call.screening?.vault.hideAgain(said) ?? said, midstream) }
}

/**
 * Settles the attempt that broke and goes on elsewhere.
 * @param booked is told what the broken attempt was charged
 * @returns the answer that goes on, ready to be sent behind what was sent; undefined where nobody does after all
 */
export async function resume(
  call: Call,
  io: Io,
  broken: StreamAnswer,
  { failure }: UpstreamFailure,
  { stages, events, join }: WayOn,
  booked: (usage: Usage, cost: number) => void,
): Promise<StreamAnswer | undefined> {
  const { source, hold } = broken
  const charged = used(source.usage, hold, source.contentFrames, true)
  const ending = { outcome: failure.kind, status: failure.status, ...charged, firstMs: broken.firstMs }
  settleAttempt(call, io, hold, ending, { failure, heard: () => source.heard(), goesOn: true }, booked)
  source.hangUp()

  const able = call.snapshot.policy.midstream === 'restart' ? stages : await whoGoesOn(io, stages)
  if (able.length === 0) return undefined
  const next = new Call(call.operation, call.startedAt, call.request, call.door, call.snapshot)
  Object.assign(next, {
    bytes: call.bytes,
    peek: call.peek,
    who: call.who,
    leaving: call.leaving,
    payer: call.payer,
    stages: able,
    attempts: call.attempts,
    canonical: going(canonicalOf(call) as Chat, join, call.snapshot.policy.midstream),
    resumed: resumedBy(call, events, join, source),
    screening: call.screening,
    isRewritten: call.isRewritten,
    keepsHome: call.keepsHome,
  })
  try {
    await attempt(next, io)
  } catch {
    // Told in the log already; the caller is told of the failure that broke his answer.
    return undefined
  } finally {
    call.attempts = next.attempts
    call.failures.push(...next.failures)
  }
  return next.answer?.kind === 'stream' ? next.answer : undefined
}

/** The request that goes on: what was said is the beginning of the answer; what was thought is not thought again. */
function going(chat: Chat, join: Join, mode: string): Chat {
  if (mode === 'restart') return chat
  const { thinking: _, ...rest } = chat
  return {
    ...rest,
    messages: [...chat.messages, { role: 'assistant', parts: [{ type: 'text', text: join.beginning }] }],
  } as Chat
}

function resumedBy(call: Call, events: readonly Event[], join: Join, source: Source): Resumed {
  const { contentFrames: frames, gate } = source
  gate?.restart()
  const write = (call.door.dialect as ChatDialect).writer(canonicalOf(call) as Chat, {
    id: call.id,
    created: Math.floor(call.startedAt / 1000),
  })
  // It has to know what was said, to go on where that ended.
  for (const event of events) write(event)
  // What the caller is told is of the whole answer; what is charged is each part by itself.
  const whole = (event: Event): string =>
    write(event.type === 'usage' ? { ...event, usage: { ...event.usage, output: event.usage.output + frames } } : event)
  const joined = (give: () => string): Event[] => {
    let text: string
    try {
      text = give()
    } catch (cause) {
      throw new UpstreamFailure({ kind: 'bad_reply', status: 200, message: String(cause) })
    }
    return text === '' ? [] : [{ type: 'text', choice: 0, text }]
  }
  const turn = (event: Event): Event[] => {
    switch (event.type) {
      case 'text':
        return joined(() => join.push(event.text))
      case 'thinking':
        return []
      case 'finish':
        return [...joined(() => join.end()), event]
      default:
        return [event]
    }
  }
  return { write: whole, turn, gate }
}

/** What was sent, as events; undefined where it does not read. */
function eventsOf(dialect: ChatDialect, sent: readonly Uint8Array[]): Event[] | undefined {
  const framer = dialect.framing === 'sse' ? new SseFramer() : new NdjsonFramer()
  const read = dialect.reader()
  try {
    return sent.flatMap((bytes) => framer.push(bytes)).flatMap(({ frame }) => (frame ? read(frame) : []))
  } catch {
    return undefined
  }
}

/** The text so far; undefined where there is more than text: half a tool call or a signed thought goes on nowhere. */
function textOf(events: readonly Event[]): string | undefined {
  let text = ''
  for (const event of events) {
    if (event.type === 'text' && event.choice === 0) text += event.text
    else if (event.type !== 'start' && event.type !== 'thinking' && event.type !== 'usage') return undefined
  }
  return text
}
