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
        c.key_id AS keyId, k.alias AS keyAlias, t.name AS target, t.alias, t.provider, t.model, c.call, c.outcome, c.status,
        c.input, c.cache_read AS cacheRead, c.cache_write AS cacheWrite, c.cache_write_hour AS cacheWriteHour, c.output,
        c.reasoning, c.source, c.cost, p.price
       FROM charges c JOIN targets t ON t.id = c.target JOIN prices p ON p.id = c.price LEFT JOIN keys k ON k.id = c.key_id
       WHERE c.operation >= @from AND c.operation < @before AND (@keyId IS NULL OR c.key_id = @keyId)
         AND (@operation IS NULL OR c.operation = @operation)
       ORDER BY c.operation DESC, c.attempt DESC LIMIT @limit`,
    )
    .all({
      from: filter.fromOperation ?? 0,
      before: filter.beforeOperation ?? Number.MAX_SAFE_INTEGER,
      keyId: filter.keyId ?? null,
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

/** How much is set aside, and for how many attempts. At rest both are 0. */
export function openHolds({ sqlite }: Store): { holds: number; amount: number } {
  const row = sqlite
    .prepare(
      `SELECT count(*) AS holds, coalesce(sum(facts ->> 5), 0) AS amount FROM holds h
       WHERE NOT EXISTS (SELECT 1 FROM charges c WHERE c.operation = h.operation AND c.attempt = h.attempt)`,
    )
    .get()
  return row as { holds: number; amount: number }
}
