/** What is told of prices at a start: which are other ones than at the last. */
import { type KeptPrices, priceChanges, showChange } from '../core/price-book.ts'
import type { Log } from '../observe/log.ts'
import { keep, readKept } from '../store/price-file.ts'

/** How many lines of changed prices are told in the log; `tollgate prices update` tells all of them, before the start. */
const TOLD_CHANGES = 20

/** Says what other prices there are than at the last start, and remembers these. */
export function takeNoteOfPrices(dataDir: string, prices: KeptPrices, log: Log): void {
  const before = readKept(dataDir)
  try {
    keep(dataDir, prices)
  } catch (cause) {
    log.warn('The prices could not be noted down, so that the next start cannot compare them.', {
      told: String(cause),
    })
  }
  if (!before) return
  const changes = priceChanges(before, prices)
  if (changes.length === 0) return
  log.warn('Prices have changed since the last start.', {
    library: before.library === prices.library ? prices.library : `${before.library} → ${prices.library}`,
    changes: changes.length,
    first: changes.slice(0, TOLD_CHANGES).flatMap(showChange),
  })
}
