/** The routes of /spend: what was charged, row by row and in sum. LiteLLM's names for what it has a name for. */
import { toDollars } from '../core/money.ts'
import { Refusal } from '../core/refusal.ts'
import { startOfDay } from '../core/zone.ts'
import type { Store } from '../store/open.ts'
import { operationAt } from '../store/operation.ts'
import { type SpendRow, spendRows } from '../store/spend.ts'
import type { Keyring } from './keyring.ts'
import { whole } from './keys.ts'
import type { Money } from './money.ts'
import type { Reach } from './reach.ts'

const PAGE = 100
const LARGEST_PAGE = 1_000

/**
 * The newest charges first. Whoever asks sees what is within his reach. `before` is the last page's `next`.
 * @param zone the ledger's @throws Refusal invalid_request for a date or number that is none
 */
export function spendLogs(
  store: Store,
  ring: Keyring,
  zone: string,
  reach: Reach,
  query: URLSearchParams,
): { rows: Record<string, unknown>[]; next: string | undefined } {
  const asked = query.get('api_key')
  const listed = (id: string | undefined) => (id === undefined ? undefined : [id])
  const limit = whole(query, 'limit', PAGE, LARGEST_PAGE)
  const end = dateIn(query, 'end_date', zone)
  const before = query.get('before')
  const said = (...names: string[]) => names.map((name) => query.get(name)).find((value) => value) ?? undefined
  const user = said('user_id')
  const team = said('team_id')
  const organization = said('organization_id')
  const rows = spendRows(
    store,
    {
      key: asked ? keyNamed(asked, ring, reach) : undefined,
      user,
      team,
      organization,
      within: reach.bounds({ user: listed(user), team: listed(team), organization: listed(organization) }),
      project: said('project_id'),
      customer: said('end_user', 'customer_id'),
      tag: said('tag', 'request_tag'),
      alias: said('model_group', 'model'),
      provider: said('provider', 'custom_llm_provider'),
      isOk: isOkOf(query.get('status')),
      operation: operationOf(query.get('request_id'), 'request_id'),
      fromOperation: dateIn(query, 'start_date', zone),
      beforeOperation: end,
      after: before ? rowOf(before) : undefined,
      limit,
    },
    zone,
  )
  const last = rows.at(-1)
  return {
    rows: rows.map(showRow),
    next: rows.length === limit && last ? `${idOf(last.operation)}-${last.attempt}` : undefined,
  }
}

/** @throws Refusal not_found; where it is not his, what is not there looks the same */
function keyNamed(asked: string, ring: Keyring, reach: Reach): string {
  if (reach.isAll) return ring.find(asked).id
  if (asked === reach.who.key?.id) return asked
  const key = ring.lookUp(asked)
  if (!key || !reach.seesKey(key)) throw reach.refusal('This key', 'api_key')
  return key.id
}

/** LiteLLM's words for how a request ended. */
function isOkOf(status: string | null): boolean | undefined {
  if (status === null || status === '') return undefined
  if (status === 'success' || status === 'failure') return status === 'success'
  throw new Refusal('invalid_request', "'status' must be success or failure.", { param: 'status' })
}

const idOf = (operation: number): string => `req_${operation.toString(36)}`

/** The last row of a page: a request, and which of its attempts. Of a request alone, all that is older. */
function rowOf(said: string): { operation: number; attempt: number } {
  const [id = '', attempt] = said.split('-')
  if (attempt !== undefined && !/^\d{1,6}$/.test(attempt))
    throw new Refusal('invalid_request', "'before' is not what a page gave as its next.", { param: 'before' })
  return { operation: operationOf(id, 'before') as number, attempt: Number(attempt ?? 0) }
}

function operationOf(id: string | null, name: string): number | undefined {
  if (id === null) return undefined
  const operation = Number.parseInt(id.replace(/^req_/, ''), 36)
  if (!/^req_[0-9a-z]+$/.test(id) || !Number.isSafeInteger(operation))
    throw new Refusal('invalid_request', `'${name}' is not a request id (req_…).`, { param: name })
  return operation
}

/**
 * A date as the first operation of that moment. A day is one of the ledger's calendar: its beginning, and for `end_date`
 * its end; a moment without a zone is in UTC.
 */
function dateIn(query: URLSearchParams, name: string, zone: string): number | undefined {
  const said = query.get(name)
  if (said === null || said === '') return undefined
  const at = Date.parse(/[T ]\d/.test(said) && !/(Z|[+-]\d\d:?\d\d)$/.test(said) ? `${said.replace(' ', 'T')}Z` : said)
  if (Number.isNaN(at))
    throw new Refusal('invalid_request', `'${name}' is not a date: write 2026-11-21 or 2026-11-21T12:00:00Z.`, {
      param: name,
    })
  if (!/^\d{4}-\d\d-\d\d$/.test(said)) return operationAt(at)
  return operationAt(startOfDay(zone, at / 86_400_000 + (name === 'end_date' ? 1 : 0)))
}

/** Units that most charges have none of. */
function otherUnits(row: SpendRow): Record<string, number> {
  const units = {
    audio_input_tokens: row.audioInput,
    audio_output_tokens: row.audioOutput,
    audio_cache_read_tokens: row.audioRead,
    image_input_tokens: row.imageInput,
    image_cache_read_tokens: row.imageRead,
    image_output_tokens: row.imageOutput,
    images: row.images,
    media_ms: row.mediaMs,
    gpu_ms: row.gpuMs,
    characters: row.characters,
    searches: row.searches,
  }
  return Object.fromEntries(Object.entries(units).filter(([, amount]) => amount > 0))
}

function showRow(row: SpendRow): Record<string, unknown> {
  return {
    request_id: idOf(row.operation),
    attempt: row.attempt,
    call_type: row.call,
    api_key: row.keyId ?? 'master',
    key_alias: row.keyAlias,
    user: row.user,
    team_id: row.team,
    organization_id: row.organization,
    project_id: row.project,
    end_user: row.customer,
    request_tags: JSON.parse(row.tags),
    spend: toDollars(row.cost),
    spend_nano: row.cost,
    total_tokens: row.input + row.output,
    prompt_tokens: row.input,
    completion_tokens: row.output,
    cache_read_tokens: row.cacheRead,
    cache_write_tokens: row.cacheWrite + row.cacheWriteHour,
    reasoning_tokens: row.reasoning,
    ...otherUnits(row),
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
