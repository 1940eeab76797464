/** Puts the audit together, and lets go of what is old enough. */
import { createHash } from 'node:crypto'
import pkg from '../../package.json'
import { auditRoutes } from '../admin/audit-routes.ts'
import { AdminAudit } from '../audit/admin.ts'
import { Anchors } from '../audit/anchors.ts'
import { AuditKeys, Signer } from '../audit/keys.ts'
import { AuditLog } from '../audit/log.ts'
import { RequestAudit } from '../audit/requests.ts'
import type { WayOut } from '../auth/way-out.ts'
import type { AuditConfig } from '../config/audit.ts'
import type { Config } from '../config/config.ts'
import { CHAINS } from '../core/audit-entry.ts'
import { Refusal } from '../core/refusal.ts'
import { dayAt, startOfDay } from '../core/zone.ts'
import type { SealKeys } from '../secrets/seal.ts'
import { Sealer } from '../secrets/seal.ts'
import { AuditStore } from '../store/audit.ts'
import { setFact } from '../store/keys.ts'
import type { Store } from '../store/open.ts'
import { SealedFact } from '../store/sealed-fact.ts'
import { Sinks } from './audit-sinks.ts'

/** Names of the facts in the database. */
const KEY = 'audit_key'
export const PUBLIC_KEY = 'audit_public_key'

/** How long a stop waits for checkpoints that are taken elsewhere, and a checkpoint for its receiver, ms. */
const LAST_MS = 3_000
const POST_MS = 10_000
/** Between two looks at what is old, ms; and between two portions of what goes. */
const EVERY_MS = 600_000
const PAUSE_MS = 50

export interface AuditParts {
  store: Store
  /** The data folder's own secret. */
  root: Buffer
  seals: SealKeys
  config: AuditConfig
  zone: string
  wayOut: WayOut
  now(): number
  /** A file with authorities that are trusted beside the public ones. */
  ca: string | undefined
  /** Something is missing in the audit: somebody is to know. */
  missing(told: string): unknown
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  error(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** What a start says of the configuration that it begins with: a number that is another one when anything is another. */
export const startFacts = (config: Config): Record<string, unknown> => ({
  // Secrets print as stars: of them it says nothing.
  config_sha256: createHash('sha256').update(JSON.stringify(config)).digest('hex'),
  models: config.models.length,
  version: pkg.version,
})

/** @throws Error where the key that signs cannot be opened */
export function startAudit({ store, root, seals, config, zone, wayOut, now, ca, ...hooks }: AuditParts) {
  const shelf = new AuditStore(store)
  const fact = new SealedFact(store, new Sealer(seals, 'audit'), KEY)
  const signer = new Signer(fact)
  setFact(store, PUBLIC_KEY, signer.publicKey)
  const anchors = new Anchors(config.anchors, {
    ...hooks,
    post: async (url, body) => {
      const headers = { 'content-type': 'application/json' }
      const said = await wayOut(url, true, { method: 'POST', headers, body, signal: AbortSignal.timeout(POST_MS) })
      await said.body?.cancel()
      if (!said.ok) throw new Error(`it answered with ${said.status}`)
    },
  })
  const sinks = new Sinks(config, (seq) => shelf.details(seq), { ...hooks, ca })
  const { checkpointEntries, checkpointMs } = config
  const rules = { checkpointEntries, checkpointMs, version: pkg.version }
  const log = new AuditLog(shelf, new AuditKeys(root), signer, rules, {
    ...{ ...hooks, now },
    anchored: (checkpoint) => anchors.take(checkpoint),
    wrote: (rows) => sinks.take(rows),
  })
  const requests = new RequestAudit(log, config.addresses, now)
  const admin = new AdminAudit(log, now, (ip) => requests.address(ip))
  log.start()

  let timer: ReturnType<typeof setTimeout>
  const tidy = () => {
    let gone = 0
    try {
      for (const chain of ['requests', 'admin'] as const) gone += letGo(chain)
    } catch (cause) {
      hooks.error('Old entries of the audit could not be let go; it will be tried again.', { told: String(cause) })
    }
    timer = setTimeout(tidy, gone > 0 ? PAUSE_MS : EVERY_MS)
    timer.unref()
  }
  /** Whole days at a time: first it is said, signed, then done. */
  const letGo = (chain: 'requests' | 'admin'): number => {
    const days = config.keep[chain]
    if (days > 0) {
      const old = shelf.lastBefore(CHAINS[chain], startOfDay(zone, dayAt(zone, now()) - days))
      if (old && old.seq > shelf.tombstone(CHAINS[chain])) log.bury(chain, old)
    }
    return shelf.letGo(CHAINS[chain])
  }
  timer = setTimeout(tidy, PAUSE_MS)
  timer.unref()

  return {
    log,
    shelf,
    requests,
    admin,
    routes: auditRoutes({
      from: (chain, after, limit) => shelf.from(chain, after, limit),
      upTo: (chain, before, limit) => shelf.upTo(chain, before, limit),
      details: (seq) => shelf.details(seq),
      lastBefore: (chain, at) => shelf.lastBefore(chain, at),
      checkpoint: (chain) => shelf.checkpoint(chain),
      flush: () => void log.flush(),
      publicKey: () => log.publicKey,
      digestOf: (kind, id) => (kind === 'key' ? log.keys.key(id) : log.known(kind, id)),
      version: pkg.version,
    }),
    /** @throws Refusal where what comes in could not be written down, and must be */
    admit: () => {
      if (config.onFull === 'refuse_requests' && log.isFull)
        throw new Refusal(
          'overloaded',
          'Requests have to be written down here, and cannot be at the moment. Try again shortly.',
          {
            retryAfterMs: 5_000,
            private: 'the audit cannot be written (tollgate.audit.on_full: refuse_requests)',
          },
        )
    },
    reseal: () => fact.reseal(),
    /** Its file may have been moved away. */
    reopen: () => sinks.reopen(),
    stop: async () => {
      clearTimeout(timer)
      await requests.stop()
      admin.stop()
      log.stop()
      await Promise.all([anchors.stop(LAST_MS), sinks.stop(LAST_MS)])
    },
  }
}
