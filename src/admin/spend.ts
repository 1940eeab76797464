/** The routes of /spend: what was charged, row by row and in sum. LiteLLM's names for what it has a name for. */
import type { Principal } from '../core/key.ts'
import { toDollars } from '../core/money.ts'
import { Refusal } from '../core/refusal.ts'
import type { Store } from '../store/open.ts'
import { operationAt } from '../store/operation.ts'
import { type SpendRow, spendRows } from '../store/spend.ts'
import type { Keyring } from './keyring.ts'
import { whole } from './keys.ts'
import type { Money } from './money.ts'

const PAGE = 100
const LARGEST_PAGE = 1_000

/**
 * The newest charges first. The master key sees all, a key its own. `before` is the last page's `next`.
 * @throws Refusal invalid_request for a date or number that is none
 */
export function spendLogs(
  store: Store,
  ring: Keyring,
  who: Principal,
  query: URLSearchParams,
): { rows: Record<string, unknown>[]; next: string | undefined } {
  const asked = query.get('api_key')
  const keyId = who.role === 'caller' ? who.key.id : asked ? ring.find(asked).id : undefined
  const limit = whole(query, 'limit', PAGE, LARGEST_PAGE)
  const end = dateIn(query, 'end_date')
  const before = query.get('before')
  const rows = spendRows(store, {
    keyId,
    operation: operationOf(query.get('request_id'), 'request_id'),
    fromOperation: dateIn(query, 'start_date'),
    beforeOperation: before ? operationOf(before, 'before') : end,
    limit,
  })
  const last = rows.at(-1)
  return { rows: rows.map(showRow), next: rows.length === limit && last ? idOf(last.operation) : undefined }
}

const idOf = (operation: number): string => `req_${operation.toString(36)}`

function operationOf(id: string | null, name: string): number | undefined {
  if (id === null) return undefined
  const operation = Number.parseInt(id.replace(/^req_/, ''), 36)
  if (!/^req_[0-9a-z]+$/.test(id) || !Number.isSafeInteger(operation))
    throw new Refusal('invalid_request', `'${name}' is not a request id (req_…).`, { param: name })
  return operation
}

/** A date (a day means its beginning, and for `end_date` its end) as the first operation of that moment. */
function dateIn(query: URLSearchParams, name: string): number | undefined {
  const said = query.get(name)
  if (said === null) return undefined
  const at = Date.parse(said)
  if (Number.isNaN(at))
    throw new Refusal('invalid_request', `'${name}' is not a date: write 2026-11-21 or 2026-11-21T12:00:00Z.`, {
      param: name,
    })
  return operationAt(name === 'end_date' && /^\d{4}-\d\d-\d\d$/.test(said) ? at + 86_400_000 : at)
}

function showRow(row: SpendRow): Record<string, unknown> {
  return {
    request_id: idOf(row.operation),
    attempt: row.attempt,
    call_type: row.call,
    api_key: row.keyId ?? 'master',
    key_alias: row.keyAlias,
    spend: toDollars(row.cost),
    total_tokens: row.input + row.output,
    prompt_tokens: row.input,
    completion_tokens: row.output,
    cache_read_tokens: row.cacheRead,
    cache_write_tokens: row.cacheWrite + row.cacheWriteHour,
    reasoning_tokens: row.reasoning,
    usage_source: row.source,
    startTime: new Date(row.startedAt).toISOString(),
    endTime: new Date(row.startedAt + row.durationMs).toISOString(),
    completionStartTime: row.firstMs === null ? null : new Date(row.startedAt + row.firstMs).toISOString(),
    request_duration_ms: row.durationMs,
    model: row.model,
    model_id: row.target,
    model_group: row.alias,
    custom_llm_provider: row.provider,
    status: row.outcome === 'ok' ? 'success' : 'failure',
    outcome: row.outcome,
    upstream_status: row.status,
    price: JSON.parse(row.price),
  }
}

/** What the whole gateway spent: in its window, since the beginning, and what is set aside now. */
export function globalSpend(
  money: Money,
  total: { requests: number; tokens: number },
  open: { holds: number; amount: number },
): Record<string, unknown> {
  const limit = money.accounts[0]?.limit ?? Number.POSITIVE_INFINITY
  return {
    spend: toDollars(money.spent),
    max_budget: Number.isFinite(limit) ? toDollars(limit) : null,
    held: toDollars(open.amount),
    budget_reset_at: money.resetAt === undefined ? null : new Date(money.resetAt).toISOString(),
    total_spend: toDollars(money.total),
    total_requests: total.requests,
    total_tokens: total.tokens,
    open_holds: open.holds,
  }
}
