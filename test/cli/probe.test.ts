import { expect, test } from 'bun:test'
import { probeOllama } from '../../src/cli/probe.ts'

const answering = (answer: () => Response | Promise<Response>) =>
  Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: answer })

test('the probe tells what is there, and why nothing is', async () => {
  const cases: [() => Response | Promise<Response>, unknown][] = [
    [() => Response.json({ models: [{ name: 'a:latest' }] }), { ok: true, models: ['a:latest'] }],
    [() => Response.json({ hello: 1 }), { ok: false, why: 'what answers there is no Ollama' }],
    [() => new Response('<html>'), { ok: false, why: 'what answers there is no Ollama' }],
    [() => new Response('no', { status: 404 }), { ok: false, why: 'it answered 404' }],
    [() => new Promise<Response>(() => {}), { ok: false, why: 'no answer within a second' }],
  ]
  for (const [answer, expected] of cases) {
    const server = answering(answer)
    expect(await probeOllama(server.url.origin)).toEqual(expected as never)
    await server.stop(true)
  }
  const gone = answering(() => new Response())
  await gone.stop(true)
  expect(await probeOllama(gone.url.origin)).toEqual({ ok: false, why: 'nothing listens there' })
})
