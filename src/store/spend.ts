/** Reading what was spent. Pages are by key (the operation's number), never by offset. */
import type { Store } from './open.ts'

export interface SpendRow {
  operation: number
  attempt: number
  startedAt: number
  durationMs: number
  firstMs: number | null
  keyId: string | null
  keyAlias: string | null
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
  output: number
  reasoning: number
  source: string
  cost: number
  price: string
}

export interface SpendFilter {
  keyId?: string | undefined
  /** ms since the epoch; from is inclusive, to exclusive. */
  fromOperation?: number | undefined
  beforeOperation?: number | undefined
  operation?: number | undefined
  limit: number
}

/** The newest first. */
export function spendRows({ sqlite }: Store, filter: SpendFilter): SpendRow[] {
  return sqlite
    .prepare(
      `SELECT c.operation, c.attempt, c.started_at AS startedAt, c.duration_ms AS durationMs, c.first_ms AS firstMs,
        substr(w.word, 5) AS keyId, k.alias AS keyAlias, t.name AS target, t.alias, t.provider, t.model, call.word AS call,
        outcome.word AS outcome, c.status, c.input, c.cache_read AS cacheRead, c.cache_write AS cacheWrite,
        c.cache_write_hour AS cacheWriteHour, c.output, c.reasoning, source.word AS source, c.cost, p.price
       FROM charges c JOIN targets t ON t.id = c.target JOIN prices p ON p.id = c.price JOIN words call ON call.id = c.call
         JOIN words outcome ON outcome.id = c.outcome JOIN words source ON source.id = c.source
         LEFT JOIN words w ON w.id = c.key LEFT JOIN keys k ON k.id = substr(w.word, 5)
       WHERE c.operation >= @from AND c.operation < @before AND (@key IS NULL OR w.word = @key)
         AND (@operation IS NULL OR c.operation = @operation)
       ORDER BY c.operation DESC, c.attempt DESC LIMIT @limit`,
    )
    .all({
      from: filter.fromOperation ?? 0,
      before: filter.beforeOperation ?? Number.MAX_SAFE_INTEGER,
      key: filter.keyId === undefined ? null : `key:${filter.keyId}`,
      operation: filter.operation ?? null,
      limit: filter.limit,
    }) as SpendRow[]
}

export interface ScopeSpend {
  cost: number
  requests: number
  tokens: number
}

/** Everything a scope spent since the beginning. */
export function totalOf({ sqlite }: Store, scope: string): ScopeSpend {
  const row = sqlite.prepare('SELECT cost, requests, tokens FROM spend WHERE scope = ? AND window_start = 0').get(scope)
  return (row as ScopeSpend | undefined) ?? { cost: 0, requests: 0, tokens: 0 }
}
