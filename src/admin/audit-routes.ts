/** The routes of the audit: LiteLLM's list of changes, the entries of requests, and both as files. */

import { cefOf, jsonlOf } from '../core/audit-cef.ts'
import type { ChainRow } from '../core/audit-chain.ts'
import { CHAINS } from '../core/audit-entry.ts'
import { Refusal } from '../core/refusal.ts'

type Json = Record<string, unknown>

/** What is read of the audit. */
export interface AuditBooks {
  /** Oldest first, behind `after`; newest first, in front of `before`. */
  from(chain: number, after: number, limit: number): ChainRow[]
  upTo(chain: number, before: number, limit: number): ChainRow[]
  details(seq: number): string | undefined
  lastBefore(chain: number, at: number): ChainRow | undefined
  checkpoint(chain: number): { seq: number; at: number } | undefined
  /** Writes what waits, so that it is seen. */
  flush(): void
  publicKey(): string
  /** How somebody stands in the entries; undefined: he does not. */
  digestOf(kind: 'key' | 'user' | 'customer', id: string): string | undefined
  version: string
}

export interface AuditRoutes {
  list(query: URLSearchParams): Json
  show(id: string): Json
  requests(query: URLSearchParams): { rows: Json[]; next: number | undefined }
  export(query: URLSearchParams): Response
  key(): Json
}

/** LiteLLM's names of tables. */
const TABLES: Readonly<Record<string, string>> = {
  key: 'LiteLLM_VerificationToken',
  team: 'LiteLLM_TeamTable',
  user: 'LiteLLM_UserTable',
  organization: 'LiteLLM_OrganizationTable',
  project: 'LiteLLM_ProjectTable',
  customer: 'LiteLLM_EndUserTable',
  budget: 'LiteLLM_BudgetTable',
  credential: 'LiteLLM_CredentialsTable',
  tag: 'LiteLLM_TagTable',
  member: 'LiteLLM_TeamMembership',
}

/** As many entries are looked at for one answer. */
const LOOKED_AT = 20_000
const PORTION = 500
const MOST = 1_000

export function auditRoutes(books: AuditBooks): AuditRoutes {
  /** In LiteLLM's words. */
  const show = (row: ChainRow): Json | undefined => {
    const text = books.details(row.seq)
    if (text === undefined) return undefined
    const said = JSON.parse(text) as Json
    const { id } = JSON.parse(row.body) as Json
    return {
      id: String(row.seq),
      updated_at: new Date(row.at).toISOString(),
      changed_by: said.changed_by ?? said.actor,
      changed_by_api_key: said.key ?? '',
      action: said.action,
      table_name: TABLES[String(said.table)] ?? said.table,
      object_id: said.object,
      before_value: said.before ?? null,
      updated_values: said.after ?? null,
      actor: said.actor,
      way: said.way ?? null,
      role: said.role ?? null,
      ip: said.ip ?? null,
      route: said.route,
      status: said.status,
      outcome: said.outcome,
      request_id: id,
    }
  }

  /** Entries from the newest on, as far as they are looked at for one answer. */
  function* newest(chain: number, query: URLSearchParams, before?: number): Generator<ChainRow> {
    const { after, upTo } = rangeOf(chain, query)
    let next = Math.min(before ?? Number.MAX_SAFE_INTEGER, upTo + 1)
    for (let seen = 0; seen < LOOKED_AT; ) {
      const rows = books.upTo(chain, next, PORTION)
      for (const row of rows) {
        if (row.seq <= after) return
        yield row
      }
      seen += rows.length
      next = rows.at(-1)?.seq ?? 0
      if (rows.length < PORTION) return
    }
  }

  /** The numbers between two times. */
  function rangeOf(chain: number, query: URLSearchParams): { after: number; upTo: number } {
    const from = timeOf(query, 'start_date', 'from')
    const to = timeOf(query, 'end_date', 'to')
    return {
      after: from === undefined ? 0 : (books.lastBefore(chain, from)?.seq ?? 0),
      upTo: to === undefined ? Number.MAX_SAFE_INTEGER - 1 : (books.lastBefore(chain, to)?.seq ?? 0),
    }
  }

  return {
    list(query) {
      books.flush()
      const page = numberOf(query, 'page', 1, 1_000_000)
      const size = numberOf(query, 'page_size', 10, 100)
      const wanted = (['changed_by', 'changed_by_api_key', 'action', 'table_name', 'object_id'] as const).flatMap(
        (name) => {
          const value = query.get(name)
          return value === null ? [] : [[name, value] as const]
        },
      )
      const found: Json[] = []
      for (const row of newest(CHAINS.admin, query)) {
        const shown = show(row)
        if (shown && wanted.every(([name, value]) => shown[name] === value)) found.push(shown)
      }
      if (query.get('sort_order') === 'asc') found.reverse()
      return {
        audit_logs: found.slice((page - 1) * size, page * size),
        ...{ total: found.length, page, page_size: size, total_pages: Math.ceil(found.length / size) },
      }
    },
    show(id) {
      books.flush()
      const [row] = /^\d{1,15}$/.test(id) ? books.from(CHAINS.admin, Number(id) - 1, 1) : []
      const shown = row && row.seq === Number(id) ? show(row) : undefined
      if (!shown) throw new Refusal('not_found', `There is no entry '${id.slice(0, 50)}'. GET /audit lists them.`)
      return shown
    },
    requests(query) {
      books.flush()
      const limit = numberOf(query, 'limit', 100, MOST)
      const wanted: [string, string | undefined][] = []
      for (const kind of ['key', 'user', 'customer'] as const) {
        const id = query.get(kind)
        if (id !== null) wanted.push([kind, books.digestOf(kind, id)])
      }
      for (const name of ['id', 'model', 'target', 'outcome', 'team', 'prompt', 'status', 'call', 'kind']) {
        const value = query.get(name)
        if (value !== null) wanted.push([name, value])
      }
      const rows: Json[] = []
      let last: number | undefined
      const before = query.has('before') ? numberOf(query, 'before', 0, Number.MAX_SAFE_INTEGER) : undefined
      for (const row of newest(CHAINS.requests, query, before)) {
        last = row.seq
        const entry = JSON.parse(row.body) as Json
        if (!wanted.every(([name, value]) => value !== undefined && String(entry[name]) === value)) continue
        rows.push({ seq: row.seq, ...entry })
        if (rows.length >= limit) break
      }
      const more = last !== undefined && books.upTo(CHAINS.requests, last, 1).length > 0
      return { rows, next: more ? last : undefined }
    },
    export(query) {
      books.flush()
      const format = query.get('format') ?? 'jsonl'
      const name = query.get('chain') ?? 'requests'
      if (format !== 'jsonl' && format !== 'cef')
        throw new Refusal('invalid_request', 'format: jsonl or cef.', { param: 'format' })
      if (name !== 'requests' && name !== 'admin')
        throw new Refusal('invalid_request', 'chain: requests or admin.', { param: 'chain' })
      const chain = CHAINS[name]
      const range = rangeOf(chain, query)
      let after = range.after
      const encoder = new TextEncoder()
      const body = new ReadableStream<Uint8Array>({
        // A portion each time somebody reads: however much there is, so much is in memory.
        pull(controller) {
          const rows = books.from(chain, after, PORTION).filter(({ seq }) => seq <= range.upTo)
          for (const row of rows) controller.enqueue(encoder.encode(`${lineOf(row, format)}\n`))
          after = rows.at(-1)?.seq ?? after
          if (rows.length < PORTION) controller.close()
        },
      })
      return new Response(body, {
        headers: { 'content-type': format === 'cef' ? 'text/plain; charset=utf-8' : 'application/x-ndjson' },
      })
    },
    key: () => ({
      public_key: books.publicKey(),
      checkpoints: Object.fromEntries(
        Object.entries(CHAINS).map(([chain, number]) => {
          const found = books.checkpoint(number)
          return [chain, found ? { seq: found.seq, time: new Date(found.at).toISOString() } : null]
        }),
      ),
    }),
  }

  function lineOf(row: ChainRow, format: 'jsonl' | 'cef'): string {
    const beside = row.chain === CHAINS.admin ? books.details(row.seq) : undefined
    const details = beside === undefined ? undefined : (JSON.parse(beside) as Json)
    return format === 'cef' ? cefOf(row, books.version, details) : jsonlOf(row, details)
  }
}

/** ISO 8601, or a date. */
function timeOf(query: URLSearchParams, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const said = query.get(name)
    if (said === null) continue
    const at = Date.parse(said)
    if (!Number.isFinite(at))
      throw new Refusal('invalid_request', `${name}: write a time as 2026-11-21T13:00:00Z.`, { param: name })
    return at
  }
  return undefined
}

function numberOf(query: URLSearchParams, name: string, usual: number, most: number): number {
  const said = query.get(name)
  if (said === null) return usual
  const number = Number(said)
  if (!Number.isInteger(number) || number < 1 || number > most)
    throw new Refusal('invalid_request', `${name}: a whole number from 1 to ${most}.`, { param: name })
  return number
}
