/**
 * `bun run bench [--quick] [--rounds N] [--window MS] [--without nginx]`: Tollgate beside the upstream itself, a bare relay and nginx.
 * Contestants take turns round by round, and what is reported is the median over the rounds, ratios within a round
 * first: the machine is noisy, and its noise comes in waves. Nothing is pinned. Every answer is checked.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bury } from '../support/temp.ts'
import { makeBody, type Shape } from './bodies.ts'
import { type Contestant, startNginx, startRelay, startTollgate, startUpstream } from './contestants.ts'
import { type Measured, type Order, rssMb } from './order.ts'
import { type Table, tables } from './report.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    window: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5))
const windowMs = Number(values.window ?? (values.quick ? 300 : 600))
const HELD_STREAMS = 600

interface Scenario {
  name: string
  shape: Shape
  model: string
  stream: boolean
  connections: number
  /** Not in windows: so many requests a connection. */
  each?: number
}

const small = (connections: number): Scenario => ({
  name: `small@${connections}`,
  shape: 'small',
  model: 'bench',
  stream: false,
  connections,
})
const large = (shape: Shape): Scenario => ({ name: shape, shape, model: 'bench', stream: false, connections: 8 })
const SCENARIOS: Scenario[] = [
  ...[1, 8, 64, 256].map(small),
  ...(['string', 'messages', 'code'] as const).map(large),
  { name: 'stream', shape: 'small', model: 'bench', stream: true, connections: 32 },
  { name: 'held', shape: 'small', model: 'bench-held', stream: true, connections: HELD_STREAMS, each: 1 },
]

const loader = Bun.spawn([process.execPath, join(import.meta.dir, 'load.ts')], {
  stdin: 'ignore',
  stdout: 'inherit',
  stderr: 'inherit',
  ipc: (message: Measured) => answered?.(message),
})
bury(loader)
let answered: ((measured: Measured) => void) | undefined
const tell = (order: Order): Promise<Measured> =>
  new Promise((resolve, reject) => {
    answered = resolve
    void loader.exited.then(() => reject(new Error('the load generator ended')))
    loader.send(order)
  })

function orderFor(contestant: Contestant, scenario: Scenario): Order {
  const { shape, model, stream, connections, each } = scenario
  const { port, headers, pids } = contestant
  const body = makeBody(shape, model, stream)
  const warmMs = each === undefined ? windowMs / 4 : 0
  return { port, headers, body, stream, connections, warmMs, windowMs, pids, ...(each === undefined ? {} : { each }) }
}

const upstream = await startUpstream()
const contestants = [upstream, await startRelay(upstream.port)]
for (const [name, start] of [
  ['nginx', startNginx],
  ['Tollgate', startTollgate],
] as const) {
  if (values.without.some((left) => left.toLowerCase() === name.toLowerCase())) continue
  const contestant = await start(upstream.port)
  if (contestant) contestants.push(contestant)
  else console.log(`${name} is not here, and is left out`)
}
const problems: string[] = []
const sent = new Map<string, number>()

// A check that finds nothing wrong must be able to.
const wrong = await tell(
  orderFor(upstream, { name: 'check', shape: 'small', model: 'bench-wrong', stream: false, connections: 2, each: 20 }),
)
if (wrong.wrong !== 4) problems.push(`the check let wrong answers pass: it found ${wrong.wrong} of 4`)

// The first seconds of a process are its compiler's: they are nobody's measure, but they are in the ledger.
for (const contestant of contestants) {
  for (const scenario of [small(64), large('messages')]) {
    const warmed = await tell({ ...orderFor(contestant, scenario), windowMs: windowMs * 2 })
    sent.set(contestant.name, (sent.get(contestant.name) ?? 0) + warmed.sent)
    if (warmed.wrong > 0)
      problems.push(`${contestant.name}, warming up: ${warmed.wrong} wrong, the first: ${warmed.sample}`)
  }
}

const results: Table = new Map()
const began = Date.now()
for (const scenario of SCENARIOS) {
  // A held stream takes its own time: one round of it is enough to see whether it holds.
  const turns = scenario.each === undefined ? rounds : 1
  for (let round = 0; round < turns; round++) {
    for (const contestant of contestants) {
      const measured = await tell(orderFor(contestant, scenario))
      const rows = results.get(scenario.name) ?? new Map()
      results.set(scenario.name, rows)
      rows.set(contestant.name, [...(rows.get(contestant.name) ?? []), { ...measured, rss: rssMb(contestant.pids) }])
      sent.set(contestant.name, (sent.get(contestant.name) ?? 0) + measured.sent)
      if (measured.wrong > 0) {
        const what = `${measured.wrong} of ${measured.sent} answers were wrong, the first: ${measured.sample}`
        problems.push(`${contestant.name}, ${scenario.name}: ${what}`)
      }
    }
  }
  console.log(`${scenario.name}: done after ${Math.round((Date.now() - began) / 1000)} s`)
}

for (const contestant of contestants) {
  if (!contestant.countRows) continue
  const expected = sent.get(contestant.name) ?? 0
  // The outbox writes in batches: the last of them may still be on its way.
  for (let i = 0; i < 50 && contestant.countRows() < expected; i++) await Bun.sleep(100)
  const rows = contestant.countRows()
  console.log(`${contestant.name}: ${expected} requests, ${rows} rows in its ledger`)
  if (rows !== expected) problems.push(`${contestant.name} was sent ${expected} requests and has ${rows} rows`)
}
for (const contestant of contestants.reverse()) await contestant.stop()
loader.kill()

console.log(`\n${tables(results)}`)
for (const problem of problems) console.log(`WRONG: ${problem}`)
process.exit(problems.length === 0 ? 0 : 1)
