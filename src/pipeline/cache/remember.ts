/** Keeps what is answered for those who ask the same: while it is on its way, and afterwards. */
import type { Answer } from '../answer.ts'
import type { Call } from '../call.ts'
import type { Io } from '../io.ts'
import type { Head } from './flight.ts'
import { formOf, type KeptAnswer } from './kept.ts'
import type { Recall } from './recall.ts'
import { learn } from './semantic.ts'

/** @param answer as it would be without any of this */
export function remember(call: Call, io: Io, answer: Promise<Response>): Promise<Response> {
  return call.recall ? remembered(call, io, call.recall, answer) : answer
}

async function remembered(call: Call, io: Io, recall: Recall, coming: Promise<Response>): Promise<Response> {
  const { flight } = recall
  try {
    const response = await coming
    const answer = call.answer as Answer
    const { servedBy, modelId, modelGroup } = answer.link
    const contentType = response.headers.get('content-type') ?? 'application/json'
    const head: Head = { servedBy, modelId, modelGroup, contentType }
    if (recall.key !== undefined) response.headers.set('x-tollgate-cache', 'miss')
    if (!recall.write && recall.repeat === undefined) return response
    if (answer.kind === 'whole') {
      const bytes = typeof answer.body === 'string' ? new TextEncoder().encode(answer.body) : answer.body
      keep(call, io, recall, head, bytes)
      flight.land(head, bytes)
      recall.over()
      return response
    }
    const stream = response.body as ReadableStream<Uint8Array>
    const { dialect } = call.door
    flight.begin(head, stream, dialect.op === 'chat' ? dialect.heartbeat : '', (bytes) => {
      recall.over()
      if (bytes) keep(call, io, recall, head, bytes)
    })
    return new Response(flight.open(), { headers: response.headers })
  } catch (cause) {
    flight.fail()
    recall.over()
    throw cause
  }
}

/** Only what is the whole answer of the model that was asked for, and that nobody had to shorten. */
function keep(call: Call, io: Io, recall: Recall, head: Head, body: Uint8Array): void {
  const answer = call.answer as Answer
  if (call.ending !== 'ok') return
  const kept: KeptAnswer = {
    ...head,
    dialect: call.door.dialect.id,
    form: formOf(call),
    stream: call.peek.stream,
    body,
    at: io.now(),
    cost: call.cost,
  }
  if (recall.repeat !== undefined)
    io.cache.repeats.put(recall.repeat, { ...kept, asked: recall.asked }, io.cache.keepRepeatsMs)
  const { key } = recall
  // The answer of a fallback would outlive the failure that it came of.
  const isOwn = answer.link.target.alias === call.stages[0]?.alias && call.resumed === undefined
  if (key === undefined || !recall.write || !isOwn || answer.hold.maxOutput !== undefined) return
  if (recall.ttlMs <= 0) return
  io.cache.answers.put(key, kept, recall.ttlMs)
  if (recall.meaning) learn(io, recall.meaning, key)
}
