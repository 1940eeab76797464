/**
 * Proves that the books add up: every charge by its own price, the charges of each day against the rollups, the rollups
 * by payer against those by scope, and each scope's days against its total. To the nano-dollar. Reads only.
 */
import type { Database } from 'better-sqlite3'
import { costOf, type Price } from '../core/price.ts'
import { readPrice } from '../core/price-text.ts'
import { GATEWAY, type Payer, scopesOfPayer, scopesOfTarget } from '../core/scope.ts'
import type { Usage } from '../core/usage.ts'
import { Days } from './days.ts'
import { readHolds } from './hold-text.ts'
import { CHARGES_FROM, ZONE } from './ledger-facts.ts'

/** Sums that are compared: cost, requests, failed, input, cacheRead, cacheWrite, output, reasoning. */
type Line = number[]
const WIDTH = 8

export interface Verified {
  /** Sentences, each one difference. Empty where all is well. */
  differences: string[]
  /** Of the charges that are kept, nano-dollars. */
  charges: { count: number; cost: number }
  /** Of all days, those whose charges are gone too. */
  payers: { count: number; cost: number }
  scopes: { count: number; cost: number }
  /** What the gateway says it has spent since the beginning, nano-dollars. */
  total: number
  /** Attempts under way, or left open by a crash. */
  holds: number
}

/** So many differences are told; the rest is counted. */
const MOST_TOLD = 50
const PAGE = 20_000

interface ChargeOfBooks extends Usage {
  operation: number
  attempt: number
  startedAt: number
  payer: number
  target: number
  price: number
  outcome: number
  cost: number
}

/** @param tell called now and then with how many charges were read */
export function verify(sqlite: Database, tell: (charges: number) => void = () => {}): Verified {
  const differences: string[] = []
  let more = 0
  const differ = (sentence: string) => {
    if (differences.length < MOST_TOLD) differences.push(sentence)
    else more++
  }
  // One picture of the file, whatever a running gateway writes meanwhile.
  sqlite.exec('BEGIN')
  try {
    const charged = addCharges(sqlite, differ, tell)
    const payers = readLines(sqlite, 'payer_rollups', 'payer')
    const kept =
      charged.from === undefined ? payers : new Map([...payers].filter(([n]) => dayOf(n) >= (charged.from as number)))
    compare('charges', charged.lines, 'payer_rollups', kept, differ)
    const scopes = readLines(sqlite, 'rollups', 'scope')
    compare('payer_rollups', expand(sqlite, payers), 'rollups', scopes, differ)
    const total = compareTotals(sqlite, scopes, differ)
    if (more > 0) differences.push(`… and ${more} more differences.`)
    const texts = sqlite.prepare('SELECT facts FROM holds ORDER BY id').pluck().all() as string[]
    const isCharged = sqlite.prepare('SELECT 1 FROM charges WHERE operation = ? AND attempt = ?')
    return {
      differences,
      charges: { count: charged.count, cost: charged.cost },
      payers: { count: payers.size, cost: costIn(payers) },
      scopes: { count: scopes.size, cost: costIn(scopes) },
      total,
      holds: readHolds(texts).filter((h) => !isCharged.get(h.operation, h.attempt)).length,
    }
  } finally {
    sqlite.exec('COMMIT')
  }
}

const costIn = (lines: ReadonlyMap<string, Line>): number => {
  let cost = 0
  for (const line of lines.values()) cost += line[0] as number
  return cost
}

/** `day of target`: the name of a line. */
const nameOf = (day: number, of: number, target: number): string => `${day} ${of} ${target}`
const dayOf = (name: string): number => Number(name.slice(0, name.indexOf(' ')))

const factOf = (sqlite: Database, name: string): string | undefined =>
  sqlite.prepare('SELECT value FROM facts WHERE name = ?').pluck().get(name) as string | undefined

function addCharges(
  sqlite: Database,
  differ: (sentence: string) => void,
  tell: (charges: number) => void,
): { lines: Map<string, Line>; count: number; cost: number; from: number | undefined } {
  const from = factOf(sqlite, CHARGES_FROM)
  const first = from === undefined ? undefined : Number(from)
  const days = new Days(factOf(sqlite, ZONE) ?? 'UTC')
  const prices = new Map<number, Price>()
  const priceOf = sqlite.prepare('SELECT price FROM prices WHERE id = ?').pluck()
  const ok = sqlite.prepare("SELECT id FROM words WHERE word = 'ok'").pluck().get() as number | undefined
  const page = sqlite.prepare<[number, number, number], ChargeOfBooks>(
    `SELECT operation, attempt, started_at AS startedAt, payer, target, price, outcome, input, cache_read AS cacheRead,
       cache_write AS cacheWrite, cache_write_hour AS cacheWriteHour, audio_input AS audioInput, output, reasoning,
       audio_output AS audioOutput, images, media_ms AS mediaMs, gpu_ms AS gpuMs, characters, searches,
       image_input AS imageInput, audio_read AS audioRead, image_read AS imageRead, image_output AS imageOutput, cost
     FROM charges WHERE (operation, attempt) > (?, ?) ORDER BY operation, attempt LIMIT ?`,
  )
  const lines = new Map<string, Line>()
  let at: [number, number] = [-1, 0]
  let count = 0
  let cost = 0
  for (;;) {
    const rows = page.all(...at, PAGE)
    for (const row of rows) {
      const day = days.of(row.startedAt)
      if (first !== undefined && day < first) continue
      count++
      cost += row.cost
      let price = prices.get(row.price)
      if (!price) {
        price = readPrice(priceOf.get(row.price) as string)
        prices.set(row.price, price)
      }
      const due = costOf(price, row)
      if (due !== row.cost)
        differ(
          `charge ${row.operation}/${row.attempt}: its usage costs ${due} by its own price, and ${row.cost} was charged.`,
        )
      const failed = row.outcome === ok ? 0 : 1
      const writes = row.cacheWrite + row.cacheWriteHour
      addTo(lines, nameOf(day, row.payer, row.target), [
        row.cost,
        1,
        failed,
        row.input,
        row.cacheRead,
        writes,
        row.output,
        row.reasoning,
      ])
    }
    tell(count)
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return { lines, count, cost, from: first }
    at = [last.operation, last.attempt]
  }
}

function addTo(lines: Map<string, Line>, name: string, line: Line): void {
  const known = lines.get(name)
  if (!known) lines.set(name, [...line])
  else for (let i = 0; i < WIDTH; i++) known[i] = (known[i] as number) + (line[i] as number)
}

function readLines(sqlite: Database, table: string, of: string): Map<string, Line> {
  const rows = sqlite
    .prepare(
      `SELECT day, ${of}, target, cost, requests, failed, input, cache_read, cache_write, output, reasoning FROM ${table}`,
    )
    .raw()
    .all() as number[][]
  return new Map(
    rows.map(([day, id, target, ...line]) => [nameOf(day as number, id as number, target as number), line]),
  )
}

/** What the rollups by scope should be. */
function expand(sqlite: Database, payers: ReadonlyMap<string, Line>): Map<string, Line> {
  const words = new Map(sqlite.prepare('SELECT word, id FROM words').raw().all() as [string, number][])
  const ofPayer = new Map<number, string[]>()
  for (const row of sqlite.prepare('SELECT * FROM payers').all() as ({ id: number; tags: string } & Record<
    string,
    string | null
  >)[]) {
    const { id, tags, key, user, team, organization, project, customer } = row
    const payer = { key, user, team, organization, project, customer }
    const said = Object.fromEntries(Object.entries(payer).map(([kind, name]) => [kind, name ?? undefined]))
    ofPayer.set(id, scopesOfPayer({ ...(said as Omit<Payer, 'tags'>), tags: JSON.parse(tags) }))
  }
  const ofTarget = new Map(
    (
      sqlite.prepare('SELECT id, alias, provider FROM targets').all() as {
        id: number
        alias: string
        provider: string
      }[]
    ).map((row) => [row.id, scopesOfTarget(row)]),
  )
  const lines = new Map<string, Line>()
  for (const [name, line] of payers) {
    const [day, payer, target] = name.split(' ').map(Number) as [number, number, number]
    for (const scope of [...(ofPayer.get(payer) ?? []), ...(ofTarget.get(target) ?? []), GATEWAY])
      addTo(lines, nameOf(day, words.get(scope) ?? -1, target), line)
  }
  return lines
}

const COLUMNS = ['cost', 'requests', 'failed', 'input', 'cache_read', 'cache_write', 'output', 'reasoning']

function compare(
  one: string,
  ones: ReadonlyMap<string, Line>,
  other: string,
  others: ReadonlyMap<string, Line>,
  differ: (sentence: string) => void,
): void {
  for (const name of new Set([...ones.keys(), ...others.keys()])) {
    const a = ones.get(name) ?? Array(WIDTH).fill(0)
    const b = others.get(name) ?? Array(WIDTH).fill(0)
    const wrong = COLUMNS.filter((_, i) => a[i] !== b[i])
    if (wrong.length === 0) continue
    const told = wrong.map((column) => `${column} ${a[COLUMNS.indexOf(column)]} and ${b[COLUMNS.indexOf(column)]}`)
    const [day, of, target] = name.split(' ')
    differ(
      `day ${day}, ${other === 'rollups' ? 'scope' : 'payer'} ${of}, target ${target}: ${one} and ${other} differ: ${told.join(', ')}.`,
    )
  }
}

/** Each scope's total against its days. Returns the gateway's. */
function compareTotals(
  sqlite: Database,
  scopes: ReadonlyMap<string, Line>,
  differ: (sentence: string) => void,
): number {
  const sums = new Map<number, Line>()
  for (const [name, line] of scopes) {
    const scope = Number(name.split(' ')[1])
    const known = sums.get(scope)
    if (known) for (let i = 0; i < WIDTH; i++) known[i] = (known[i] as number) + (line[i] as number)
    else sums.set(scope, [...line])
  }
  const totals = sqlite.prepare(
    'SELECT scope, word, cost, requests, tokens FROM spend JOIN words ON id = scope WHERE budget = 0',
  )
  let gateway = 0
  for (const row of totals.all() as { scope: number; word: string; cost: number; requests: number; tokens: number }[]) {
    if (row.word === GATEWAY) gateway = row.cost
    const sum = sums.get(row.scope) ?? Array(WIDTH).fill(0)
    sums.delete(row.scope)
    const tokens = sum[3] + sum[6]
    if (sum[0] !== row.cost || sum[1] !== row.requests || tokens !== row.tokens)
      differ(
        `${row.word}: its days add up to ${sum[0]} nano-dollars, ${sum[1]} requests and ${tokens} tokens; its total says ${row.cost}, ${row.requests} and ${row.tokens}.`,
      )
  }
  for (const scope of sums.keys()) differ(`scope ${scope} has days and no total.`)
  return gateway
}
