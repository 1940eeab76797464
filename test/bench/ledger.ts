import { parseArgs } from 'node:util'
import { writePast } from '../support/big-ledger.ts'
import { startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'
import { type Cost, openPurse } from './purse.ts'
import { median } from './report.ts'

const { values } = parseArgs({ options: { rows: { type: 'string' }, rounds: { type: 'string' } } })
const MANY = Number(values.rows ?? 10_000_000)
const FEW = 10_000
const ROUNDS = Number(values.rounds ?? 15)
const REQUESTS = 6_400
/** What the issue of this ledger asks for. */
const AIMS = { bytes: 250, reportMs: 200, ratio: 1.2, cpu: 15 }

const problems: string[] = []
const lines: string[] = []
function row(what: string, measured: number, unit: string, aim: number | undefined, digits = 0): void {
  if (aim !== undefined && measured >= aim)
    problems.push(`${what}: ${measured.toFixed(digits)} ${unit}, and the aim is ${aim}`)
  lines.push(`| ${what} | ${measured.toFixed(digits)} ${unit} | ${aim === undefined ? '–' : `< ${aim} ${unit}`} |`)
}

const end = Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth(), 1) - 1
const past = (rows: number) => ({
  ...{ rows, days: 90, until: end, models: 20, customers: 1_000 },
  keys: Array.from({ length: 500 }, (_, i) => `past-${i}`),
  teams: Array.from({ length: 25 }, (_, i) => `past-team-${i}`),
})
const [big, small] = [makeTemp('bench-big'), makeTemp('bench-small')]
let began = performance.now()
const bytes = writePast(big, past(MANY))
writePast(small, past(FEW))
console.log(
  `${MANY.toLocaleString('en-US')} charges were written in ${Math.round((performance.now() - began) / 1000)} s`,
)
row('the file, for each charge', bytes / MANY, 'bytes', AIMS.bytes)

// A month, asked for over the wire.
const gateway = await startGateway({ dataDir: big, yaml: { model_list: [] } })
const month = new Date(end).toISOString().slice(0, 7)
const range = `start_date=${month}-01&end_date=${new Date(end).toISOString().slice(0, 10)}`
/** Those of whom there are many more than a page shows are measured, and no aim is set for what nobody reads. */
const REPORTS = [
  ...['team', 'organization', 'model', 'provider'].map((by) => [
    `/global/spend/report?${range}&group_by=${by}&summarize=true`,
    true,
  ]),
  [`/global/spend/report?${range}&group_by=api_key`, true],
  [`/spend/keys?${range}`, true],
  [`/team/daily/activity?${range}&team_ids=past-team-3`, true],
  [`/customer/daily/activity?${range}&customer_ids=customer-7`, true],
  [`/user/daily/activity?${range}`, false],
  [`/global/spend/report?${range}&group_by=team`, false],
  [`/global/spend/report?${range}&group_by=customer&summarize=true`, false],
] as const
for (const [path, isJudged] of REPORTS) {
  const times: number[] = []
  let length = 0
  for (let i = 0; i < 5; i++) {
    began = performance.now()
    const reply = await gateway.call('GET', path as string)
    length = (await reply.text()).length
    times.push(performance.now() - began)
    if (reply.status !== 200 || length < 100) problems.push(`${path}: ${reply.status}, ${length} characters`)
  }
  const what = `a month: \`${(path as string).replace(`${range}&`, '').replace(`?${range}`, '')}\`, ${Math.ceil(length / 1000).toLocaleString('en-US')} kB`
  row(what, median(times), 'ms', isJudged ? AIMS.reportMs : undefined)
}
await gateway.stop()

const purses = { few: openPurse(small), many: openPurse(big) }
const costs: Record<keyof typeof purses, Cost[]> = { few: [], many: [] }
for (let round = -3; round < ROUNDS; round++)
  for (const [name, purse] of Object.entries(purses) as [keyof typeof purses, (typeof purses)['few']][]) {
    const cost = await purse.run(REQUESTS)
    // The first rounds are the compiler's.
    if (round >= 0) costs[name].push(cost)
    purse.checkpoint()
  }
const ratios = (of: keyof Cost): number => median(costs.many.map((cost, i) => cost[of] / (costs.few[i] as Cost)[of]))
row('hold and settle, five scopes: CPU a request', median(costs.few.map(({ cpu }) => cpu)), 'µs', AIMS.cpu, 1)
row(
  `the same beside ${MANY.toLocaleString('en-US')} charges`,
  median(costs.many.map(({ cpu }) => cpu)),
  'µs',
  AIMS.cpu,
  1,
)
row(`${MANY.toLocaleString('en-US')} charges to ${FEW.toLocaleString('en-US')}: CPU`, ratios('cpu'), '×', AIMS.ratio, 2)
row(
  `${MANY.toLocaleString('en-US')} charges to ${FEW.toLocaleString('en-US')}: time`,
  ratios('wall'),
  '×',
  AIMS.ratio,
  2,
)
for (const purse of Object.values(purses)) purse.close()
for (const dir of [big, small]) removeTemp(dir)

console.log(
  `\n| ${new Date().toISOString().slice(0, 10)}, Bun ${Bun.version} | measured | aim |\n|---|---:|---:|\n${lines.join('\n')}\n`,
)
for (const problem of problems) console.log(`NOT REACHED: ${problem}`)
process.exit(problems.length === 0 ? 0 : 1)
