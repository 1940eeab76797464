/**
 * A stream that waits long for a slot of a machine in the house: its answer begins before it is answered, with comments
 * that tell its place. From then on an error can only be told inside it.
 */
import type { ChatDialect } from '../dialects/dialect.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { localsOf } from './overflow.ts'
import { refuse, toldOf } from './refuse.ts'

/** Whether it can be told so: comments are an affair of event streams. */
export function canTell({ peek, door, stages }: Call, io: Io): boolean {
  const { dialect } = door
  if (!peek.stream || io.settings.heartbeatMs === 0 || localsOf(stages).length === 0) return false
  return dialect.op === 'chat' && dialect.framing === 'sse' && !door.reshape
}

/** @param answer the answer as it would be without any of this */
export function aloud(call: Call, io: Io, answer: Promise<Response>): Promise<Response> {
  const dialect = call.door.dialect as ChatDialect
  const { heartbeatMs } = io.settings
  const began = io.now()
  return new Promise((resolve) => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    let open = true
    let inner: ReadableStreamDefaultReader<Uint8Array> | undefined
    const say = (text: string) => {
      if (open && controller && text !== '') controller.enqueue(encoder.encode(text))
    }
    const body = answer.then(
      (response) => {
        io.deadlines.disarm(pulse)
        if (!controller) return resolve(response)
        say(`: answered by ${response.headers.get('x-tollgate-served-by')}\n\n`)
        inner = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
        // He left while it was on its way.
        if (!open) void inner?.cancel()
      },
      (cause) => {
        io.deadlines.disarm(pulse)
        const response = refuse(call, io, cause)
        if (!controller) return resolve(response)
        say(dialect.writeStreamError(toldOf(call, cause)))
      },
    )
    const stream = () =>
      new ReadableStream<Uint8Array>(
        {
          start(c) {
            controller = c
          },
          async pull(c) {
            await body
            const part = await inner?.read()
            if (!open) return
            if (part && !part.done) return c.enqueue(part.value)
            open = false
            c.close()
          },
          cancel() {
            open = false
            void inner?.cancel()
          },
        },
        { highWaterMark: 0 },
      )
    const pulse = io.deadlines.arm(began + heartbeatMs, (now) => {
      pulse.at = now + heartbeatMs
      const at = call.queued?.now?.()
      if (!controller) {
        // It is not for a queue that it is late: a status may still say what is wrong.
        if (!at) return
        resolve(new Response(stream(), { headers: headersOf(call, at) }))
      }
      say(at ? `: queued, place ${at.place}, about ${inSeconds(at.waitMs)} s\n\n` : dialect.heartbeat)
    })
  })
}

const headersOf = (call: Call, at: { place: number; waitMs: number }): Record<string, string> => ({
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
  'x-request-id': call.id,
  'x-litellm-call-id': call.id,
  'x-tollgate-queue': `place=${at.place}; wait=${inSeconds(at.waitMs)}s`,
})

const inSeconds = (ms: number): number => Math.max(1, Math.round(ms / 1000))

const encoder = new TextEncoder()
