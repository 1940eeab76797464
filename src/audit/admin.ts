/** The audit of what is done to the gateway: an entry for each change, and for each try that was refused. */
import { randomBytes } from 'node:crypto'
import type { Act } from '../admin/changes.ts'
import type { AdminEntry } from '../core/audit-details.ts'
import { CHAINS } from '../core/audit-entry.ts'
import { type Change, changedFields } from '../core/change.ts'
import type { AuditLog } from './log.ts'
import { Strangers } from './strangers.ts'

/** What stands beside an entry at most, in characters. */
const LONGEST = 64 * 1024

/** What is kept beside an entry. */
export interface AdminDetails {
  actor: string
  way?: string | undefined
  role?: string | undefined
  /** The key that it was done with. */
  key?: string | undefined
  changed_by?: string | undefined
  ip?: string | undefined
  route: string
  status: number
  outcome: string
  table: string
  object: string
  action: string
  before?: object | undefined
  after?: object | undefined
}

export class AdminAudit {
  readonly #log: AuditLog
  readonly #now: () => number
  readonly #showAddress: (ip: string | undefined) => string | undefined
  readonly #strangers: Strangers

  constructor(log: AuditLog, now: () => number, showAddress: (ip: string | undefined) => string | undefined) {
    this.#log = log
    this.#now = now
    this.#showAddress = showAddress
    this.#strangers = new Strangers(now, showAddress, (entry, at) =>
      log.add({ chain: CHAINS.admin, at, body: () => JSON.stringify(entry) }),
    )
  }

  write(act: Act): void {
    const { changes, status, outcome, who, ip } = act
    if (!who && status >= 400 && !this.#strangers.isTold(outcome, ip)) return
    for (const change of changes) this.#add(act, change)
    // What changed nothing that is kept has been done all the same, or was refused.
    if (changes.length === 0)
      this.#add(act, { table: 'route', id: act.route, action: status >= 400 ? 'failed' : 'updated' })
  }

  #add(act: Act, change: Change): void {
    const { who, route, status, outcome, requestId } = act
    const { table, action } = change
    // Who has to wait may be an address, which stands here as addresses do.
    const id = change.id.startsWith('ip:')
      ? `ip:${this.#showAddress(change.id.slice(3).replace('/64', '')) ?? ''}`
      : change.id
    const details: AdminDetails = {
      actor: who?.name ?? (route === '' ? 'gateway' : 'nobody'),
      way: who?.way,
      role: who?.role,
      key: who?.key?.id,
      changed_by: act.changedBy,
      ip: this.#showAddress(act.ip),
      ...{ route, status, outcome, table, object: id, action },
      ...changedFields(change),
    }
    let text = JSON.stringify(details)
    if (text.length > LONGEST) text = JSON.stringify({ ...details, before: { cut: true }, after: { cut: true } })
    const nonce = randomBytes(16)
    const code = this.#log.keys.details(nonce, text)
    const at = this.#now()
    const time = new Date(at).toISOString()
    const entry: AdminEntry = { kind: 'admin', id: requestId, time, action, table, details: code }
    this.#log.add({ chain: CHAINS.admin, at, body: () => JSON.stringify(entry), details: { nonce, text } })
  }

  /** What was folded is written. */
  stop(): void {
    this.#strangers.flush()
  }
}
