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
        pay.key AS keyId, k.alias AS keyAlias, t.name AS target, t.alias, t.provider, t.model, call.word AS call,
        outcome.word AS outcome, c.status, c.input, c.cache_read AS cacheRead, c.cache_write AS cacheWrite,
        c.cache_write_hour AS cacheWriteHour, c.output, c.reasoning, source.word AS source, c.cost, p.price
       FROM charges c JOIN targets t ON t.id = c.target JOIN prices p ON p.id = c.price JOIN words call ON call.id = c.call
         JOIN words outcome ON outcome.id = c.outcome JOIN words source ON source.id = c.source
         JOIN payers pay ON pay.id = c.payer LEFT JOIN keys k ON k.id = pay.key
       WHERE c.operation >= @from AND c.operation < @before AND (@key IS NULL OR pay.key = @key)
         AND (@operation IS NULL OR c.operation = @operation)
       ORDER BY c.operation DESC, c.attempt DESC LIMIT @limit`,
    )
    .all({
      from: filter.fromOperation ?? 0,
      before: filter.beforeOperation ?? Number.MAX_SAFE_INTEGER,
      key: filter.keyId ?? null,
      operation: filter.operation ?? null,
      limit: filter.limit,
    }) as SpendRow[]
}
