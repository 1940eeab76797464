/** The routes of /cache: whether it answers, what it has saved, and emptying it. LiteLLM's names where it has them. */
import { z } from 'zod'
import { toDollars } from '../core/money.ts'
import { Refusal } from '../core/refusal.ts'
import { GATEWAY } from '../core/scope.ts'
import { dayAt } from '../core/zone.ts'
import type { SavedRow } from '../store/savings.ts'
import { readBody } from './fields.ts'

type Json = Record<string, unknown>

export interface CacheRoutes {
  ping(): Promise<Json>
  delete(body: Json): Promise<Json>
  flush(body: Json): Promise<Json>
  report(query: URLSearchParams): Json
}

interface House {
  /** Whether answers are kept. */
  isOn: boolean
  place: string
  shelf: {
    get(key: string): Promise<Uint8Array | undefined> | Uint8Array | undefined
    set(key: string, value: Uint8Array, ttlMs: number): Promise<void> | void
    delete(keys: readonly string[]): Promise<number> | number
    ping(): Promise<void> | void
  }
  flush(prefix: string): Promise<number> | number
  savings: { of(scope: string, from: number, to: number): SavedRow[] }
  timezone: string
  now(): number
}

const MOST_KEYS = 1_000

export const deletion = z.strictObject({ keys: z.array(z.string().min(1).max(1_024)).max(MOST_KEYS) })
export const flushing = z.strictObject({ tenant: z.string().min(1).max(512).optional() })

/** Written and read back by a ping. */
const PROBE = ' ping'
const PROBE_MS = 10_000
const USUAL_DAYS = 30
const MOST_DAYS = 3_660

export function cacheRoutes({ isOn, place, shelf, flush, savings, timezone, now }: House): CacheRoutes {
  const reached = async <T>(work: () => Promise<T> | T): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      throw new Refusal('overloaded', `The cache (${place}) can not be reached.`, { private: String(cause) })
    }
  }
  return {
    async ping() {
      await reached(async () => {
        await shelf.ping()
        await shelf.set(PROBE, Uint8Array.of(1), PROBE_MS)
        if (!(await shelf.get(PROBE))) throw new Error('What was written was not there.')
        await shelf.delete([PROBE])
      })
      return { status: 'healthy', cache_type: place, caching: isOn, ping_response: true, set_cache_response: 'success' }
    },
    async delete(body) {
      const named = readBody(deletion, body).keys.map(decoded)
      return { status: 'success', deleted: await reached(() => shelf.delete(named)) }
    },
    async flush(body) {
      const { tenant } = readBody(flushing, body)
      const count = await reached(() => flush(tenant === undefined ? '' : `${tenant}:`))
      return { status: 'success', deleted: count }
    },
    report(query) {
      const days = Number(query.get('days') ?? USUAL_DAYS)
      if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS)
        throw new Refusal('invalid_request', `'days' must be a whole number from 1 to ${MOST_DAYS}.`, { param: 'days' })
      const scope = query.get('scope') ?? GATEWAY
      const today = dayAt(timezone, now())
      const rows = savings.of(scope, today - days + 1, today)
      const sum = (what: 'hits' | 'saved') => rows.reduce((all, row) => all + row[what], 0)
      return {
        scope,
        days,
        hits: sum('hits'),
        saved: toDollars(sum('saved')),
        models: rows.map(({ alias, hits, saved }) => ({ model: alias, hits, saved: toDollars(saved) })),
      }
    },
  }
}

/** As the header says it. */
function decoded(key: string): string {
  try {
    return decodeURI(key)
  } catch {
    return key
  }
}
