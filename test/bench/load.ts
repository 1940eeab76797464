/**
 * The load generator, a process of its own, told over IPC. It holds every answer against what it should be before it
 * counts it, and reads the contestant's CPU time at the window's two ends.
 */
import { rightAnswer, rightStream } from './answers.ts'
import { Client, type Got } from './client.ts'
import { cpuMs, type Measured, type Order } from './order.ts'

/** Answers that were looked at in full: an equal one is right too. */
type Known = Map<string, boolean>

function right(got: Got, stream: boolean, known: Known): boolean {
  if (got.status !== 200) return false
  const body = got.body.toString('latin1')
  const before = known.get(body)
  if (before !== undefined) return before
  const verdict = stream ? rightStream(got.body.toString()) : rightAnswer(got.body.toString())
  if (known.size < 100) known.set(body, verdict)
  return verdict
}

async function measure(order: Order): Promise<Measured> {
  const { port, headers, body, stream, connections, warmMs, windowMs, pids, each } = order
  const head = Object.entries({ ...headers, 'content-type': 'application/json' }).map(([k, v]) => `${k}: ${v}\r\n`)
  const length = `content-length: ${Buffer.byteLength(body)}\r\n`
  const request = Buffer.from(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${head.join('')}${length}\r\n${body}`,
  )
  const clients = Array.from({ length: connections }, () => new Client())
  await Promise.all(clients.map((client) => client.connect(port)))

  const known: Known = new Map()
  const latencies: number[] = []
  const result: Measured = { counted: 0, sent: 0, wrong: 0, ms: 0, cpuMs: 0, p50: 0, p99: 0 }
  let stage: 'warm' | 'window' | 'over' = warmMs > 0 ? 'warm' : 'window'
  let cpu = cpuMs(pids)
  let began = performance.now()

  const drive = async (client: Client): Promise<void> => {
    for (let round = 0; stage !== 'over' && (each === undefined || round < each); round++) {
      const start = performance.now()
      result.sent++
      try {
        const got = await client.ask(request)
        const ok = right(got, stream, known)
        if (!ok) {
          result.wrong++
          result.sample ??= `${got.status} ${got.body.toString('utf8', 0, 300)}`
        } else if (stage === 'window') {
          result.counted++
          latencies.push(performance.now() - start)
        }
      } catch (cause) {
        result.wrong++
        result.sample ??= String(cause)
        return
      }
    }
  }
  const drivers = Promise.all(clients.map(drive))
  const close = (): void => {
    if (stage === 'over') return
    stage = 'over'
    result.ms = performance.now() - began
    result.cpuMs = cpuMs(pids) - cpu
  }
  if (each === undefined) {
    await Bun.sleep(warmMs)
    cpu = cpuMs(pids)
    began = performance.now()
    stage = 'window'
    await Bun.sleep(windowMs)
    close()
  }
  await drivers
  close()
  for (const client of clients) client.close()
  latencies.sort((a, b) => a - b)
  result.p50 = latencies[Math.floor(latencies.length * 0.5)] ?? 0
  result.p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0
  return result
}

process.on('message', async (order: Order) => {
  process.send?.(await measure(order))
})
process.on('disconnect', () => process.exit(0))
