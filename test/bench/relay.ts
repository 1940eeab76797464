/** The bare relay that Tollgate is measured against: no key, no limit, no ledger. `bun test/bench/relay.ts UPSTREAM` */
const upstream = process.argv[2]
if (upstream === undefined) throw new Error('say where the upstream is: bun test/bench/relay.ts http://127.0.0.1:PORT')

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url)
    const body = await request.arrayBuffer()
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-bench' }
    const reply = await fetch(upstream + pathname, { method: 'POST', headers, body, signal: request.signal })
    const type = reply.headers.get('content-type') ?? 'application/octet-stream'
    return new Response(reply.body, { status: reply.status, headers: { 'content-type': type } })
  },
})
console.log(server.port)
