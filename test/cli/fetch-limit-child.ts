/** Run by fetch-limit.test.ts: holds 600 requests open at once against itself and says how many were. */
import { raiseFetchLimit } from '../../src/cli/fetch-limit.ts'

const before = process.env.TEST_PID
if (before === undefined) process.env.TEST_PID = String(process.pid)
await raiseFetchLimit(process.argv[2] !== 'unraised')

const WANTED = 600
let inside = 0
let most = 0
const all = Promise.withResolvers<void>()
const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch() {
    inside++
    most = Math.max(most, inside)
    if (inside === WANTED) all.resolve()
    await all.promise
    inside--
    return new Response('ok')
  },
})
// Where the limit holds, the rest never comes: then all are let go.
setTimeout(() => all.resolve(), 2_500).unref()
const answers = await Promise.all(Array.from({ length: WANTED }, async () => (await fetch(server.url)).text()))
console.log(
  JSON.stringify({
    most,
    answered: answers.filter((text) => text === 'ok').length,
    samePid: process.env.TEST_PID === String(process.pid),
    args: process.argv.slice(2),
  }),
)
await server.stop(true)
