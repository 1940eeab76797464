/**
 * Reading charges one by one, the newest first. Pages are by key (the operation's number), never by offset. There is no
 * index but that number: where only the charges of some scope are asked for, its rollups say on which days to look.
 */
import { startOfDay } from '../core/zone.ts'
import type { Store } from './open.ts'
import { LONGEST_EVER_MS, operationAt } from './operation.ts'

export interface SpendRow {
  operation: number
  attempt: number
  startedAt: number
  durationMs: number
  firstMs: number | null
  keyId: string | null
  keyAlias: string | null
  user: string | null
  team: string | null
  organization: string | null
  project: string | null
  customer: string | null
  /** JSON list. */
  tags: string
  target: string
  alias: string
  provider: string
  model: string
  call: string
  outcome: string
  status: number
  input: number
  cacheRead: number
  cacheWrite: number
  cacheWriteHour: number
  audioInput: number
  output: number
  reasoning: number
  audioOutput: number
  images: number
  mediaMs: number
  imageInput: number
  audioRead: number
  imageRead: number
  imageOutput: number
  gpuMs: number
  characters: number
  searches: number
  source: string
  cost: number
  price: string
}

/** Scopes by which charges can be chosen, as `payers` and `targets` name them. */
export interface SpendFilter {
  key?: string | undefined
  user?: string | undefined
  team?: string | undefined
  organization?: string | undefined
  project?: string | undefined
  customer?: string | undefined
  tag?: string | undefined
  alias?: string | undefined
  provider?: string | undefined
  /** Only charges of one of these. */
  within?: { kind: 'key' | 'user' | 'team' | 'organization'; ids: readonly string[] } | undefined
  /** Whether they ended well. */
  isOk?: boolean | undefined
  /** Operation numbers; from is inclusive, before exclusive. */
  fromOperation?: number | undefined
  beforeOperation?: number | undefined
  operation?: number | undefined
  /** Only rows behind this one. */
  after?: { operation: number; attempt: number } | undefined
  limit: number
}

const COLUMNS = `c.operation, c.attempt, c.started_at AS startedAt, c.duration_ms AS durationMs, c.first_ms AS firstMs,
  p.key AS keyId, k.alias AS keyAlias, p.user, p.team, p.organization, p.project, p.customer, p.tags, t.name AS target,
  t.alias, t.provider, t.model, call.word AS call, outcome.word AS outcome, c.status, c.input, c.cache_read AS cacheRead,
  c.cache_write AS cacheWrite, c.cache_write_hour AS cacheWriteHour, c.audio_input AS audioInput, c.output, c.reasoning,
  c.audio_output AS audioOutput, c.images, c.media_ms AS mediaMs, c.gpu_ms AS gpuMs, c.characters, c.searches,
  c.image_input AS imageInput, c.audio_read AS audioRead, c.image_read AS imageRead, c.image_output AS imageOutput,
  source.word AS source, c.cost, price.price`

const CONDITIONS = {
  key: 'p.key = @key',
  user: 'p.user = @user',
  team: 'p.team = @team',
  organization: 'p.organization = @organization',
  project: 'p.project = @project',
  customer: 'p.customer = @customer',
  tag: 'EXISTS (SELECT 1 FROM json_each(p.tags) WHERE value = @tag)',
  alias: 't.alias = @alias',
  provider: 't.provider = @provider',
} as const

/** What a scope is called in the rollups. */
const SCOPE_OF = { alias: 'model' } as Readonly<Record<string, string>>

/** @param zone the ledger's */
export function spendRows(store: Store, filter: SpendFilter, zone: string): SpendRow[] {
  const { fromOperation = 0, operation, after, limit, isOk, within } = filter
  const beforeOperation = Math.min(
    filter.beforeOperation ?? Number.MAX_SAFE_INTEGER,
    (after?.operation ?? Number.MAX_SAFE_INTEGER - 1) + 1,
  )
  const named = Object.keys(CONDITIONS).filter(
    (name) => filter[name as 'key'] !== undefined,
  ) as (keyof typeof CONDITIONS)[]
  const [first] = named
  // Where there is one scope, its rollups say on which days to look.
  const [only] = within?.ids.length === 1 ? [`${within.kind}:${within.ids[0]}`] : []
  const scope = first === undefined ? only : `${SCOPE_OF[first] ?? first}:${filter[first]}`
  const ranges =
    scope === undefined || operation !== undefined
      ? [[fromOperation, beforeOperation] as const]
      : rangesOf(store, scope, fromOperation, beforeOperation, zone)
  const conditions = [
    ...named.map((name) => CONDITIONS[name]),
    ...(within ? [`p.${within.kind} IN (SELECT value FROM json_each(@within))`] : []),
    ...(operation === undefined ? [] : ['c.operation = @operation']),
    // A page may end between two attempts of one operation.
    ...(after === undefined ? [] : ['(c.operation, c.attempt) < (@afterOperation, @afterAttempt)']),
    ...(isOk === undefined ? [] : [`outcome.word ${isOk ? '=' : '<>'} 'ok'`]),
  ]
  const statement = store.sqlite.prepare(
    `SELECT ${COLUMNS} FROM charges c JOIN targets t ON t.id = c.target JOIN prices price ON price.id = c.price
       JOIN words call ON call.id = c.call JOIN words outcome ON outcome.id = c.outcome JOIN words source ON source.id = c.source
       JOIN payers p ON p.id = c.payer LEFT JOIN keys k ON k.id = p.key
     WHERE ${['c.operation >= @from AND c.operation < @before', ...conditions].join(' AND ')}
     ORDER BY c.operation DESC, c.attempt DESC LIMIT @limit`,
  )
  const cursor = after ? { afterOperation: after.operation, afterAttempt: after.attempt } : {}
  const bounds = within ? { within: JSON.stringify(within.ids) } : {}
  const values = Object.fromEntries(
    [...named, ...(operation === undefined ? [] : ['operation'])].map((name) => [name, filter[name as 'key']]),
  )
  const rows: SpendRow[] = []
  for (const [from, before] of ranges) {
    rows.push(
      ...(statement.all({ ...values, ...cursor, ...bounds, from, before, limit: limit - rows.length }) as SpendRow[]),
    )
    if (rows.length >= limit) break
  }
  return rows
}

/** The operations of the days on which a scope was charged at all, the newest first; days that touch are one range. */
function rangesOf(
  store: Store,
  scope: string,
  from: number,
  before: number,
  zone: string,
): (readonly [number, number])[] {
  const days = store.sqlite
    .prepare('SELECT DISTINCT r.day FROM rollups r JOIN words w ON w.id = r.scope WHERE w.word = ? ORDER BY r.day DESC')
    .pluck()
    .all(scope) as number[]
  const ranges: [number, number][] = []
  for (const day of days) {
    const first = Math.max(from, operationAt(startOfDay(zone, day) - LONGEST_EVER_MS))
    const last = Math.min(before, operationAt(startOfDay(zone, day + 1)))
    const newer = ranges.at(-1)
    if (newer && newer[0] <= last) newer[0] = Math.min(newer[0], first)
    else if (first < last) ranges.push([first, last])
  }
  return ranges
}
