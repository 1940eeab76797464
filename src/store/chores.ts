/** What has to be done now and then while a gateway runs: old charges go, and holds that somebody forgot. */
import type { Ledger } from './ledger.ts'
import type { Store } from './open.ts'
import { retain } from './retain.ts'

/** Between two looks, ms; and between two portions of charges that are deleted. */
const EVERY_MS = 600_000
const PAUSE_MS = 50

interface Told {
  /** A hold was forgotten. */
  leaked?(request: string): void
  error(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** @param keepCharges days; 0: for ever @param now ms since the epoch */
export function startChores(
  store: Store,
  ledger: Pick<Ledger, 'endLeases' | 'flush'>,
  { keepCharges, timezone }: { keepCharges: number; timezone: string },
  now: () => number,
  log: Told,
): { stop(): void } {
  let timer: ReturnType<typeof setTimeout>
  const step = () => {
    let deleted = 0
    try {
      for (const { operation, attempt, target } of ledger.endLeases()) {
        log.leaked?.(`req_${operation.toString(36)}`)
        log.error('A hold was forgotten, which is a defect of the gateway: it was charged as after a crash.', {
          request_id: `req_${operation.toString(36)}`,
          attempt,
          target: target.id,
        })
      }
      // What is not written yet may be of a day whose charges go.
      ledger.flush()
      if (keepCharges > 0) deleted = retain(store, keepCharges, timezone, now())
    } catch (cause) {
      log.error('The ledger could not be tidied; it will be tried again.', { told: String(cause) })
    }
    wait(deleted > 0 ? PAUSE_MS : EVERY_MS)
  }
  const wait = (ms: number) => {
    timer = setTimeout(step, ms)
    timer.unref()
  }
  wait(PAUSE_MS)
  return { stop: () => clearTimeout(timer) }
}
