/**
 * The fastest upstream there is on Bun: fixed answers, so that what is measured is not it. By the model's name:
 * `bench` answers whole or in 64 chunks, `bench-held` spreads these over HELD_MS, `bench-wrong` is wrong now and then.
 */
import { ANSWER, CHUNKS, HELD_MS, STREAM_END, streamChunk, WRONG_ANSWER } from './answers.ts'

const chunks = Array.from({ length: CHUNKS }, (_, i) => Buffer.from(streamChunk(i)))
const end = Buffer.from(STREAM_END)
const SSE = { 'content-type': 'text/event-stream' }
const JSON_TYPE = { 'content-type': 'application/json' }
let served = 0

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    const body = Buffer.from(await request.arrayBuffer())
    // The model and `stream` stand at the front: a large body is not searched.
    const front = body.toString('latin1', 0, 200)
    if (front.includes('"bench-wrong"') && ++served % 10 === 0)
      return new Response(WRONG_ANSWER, { headers: JSON_TYPE })
    if (!front.includes('"stream":true')) return new Response(ANSWER, { headers: JSON_TYPE })
    const pause = front.includes('"bench-held"') ? HELD_MS / CHUNKS : 0
    // Bun's direct streams write each chunk at once, without a queue; the web's types do not know them.
    const source = {
      type: 'direct',
      async pull(controller: ReadableStreamDirectController) {
        for (const chunk of chunks) {
          controller.write(chunk)
          await controller.flush()
          // A turn of the loop, or the chunks would travel as one packet.
          await (pause > 0 ? Bun.sleep(pause) : new Promise(setImmediate))
        }
        controller.write(end)
        controller.close()
      },
    }
    const stream = new ReadableStream(source as unknown as Bun.DirectUnderlyingSource)
    return new Response(stream, { headers: SSE })
  },
})
console.log(server.port)
