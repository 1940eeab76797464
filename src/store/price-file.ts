/** The prices that a gateway last used, in a file beside its database, so that a new release can be told from the old. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeptPrices } from '../core/price-book.ts'

const pathIn = (dataDir: string): string => join(dataDir, 'prices.json')

/** Undefined where none were kept yet, or where the file is not one of ours. */
export function readKept(dataDir: string): KeptPrices | undefined {
  try {
    const said = JSON.parse(readFileSync(pathIn(dataDir), 'utf8')) as Partial<KeptPrices> | null
    return typeof said?.library === 'string' && said.prices !== null && typeof said.prices === 'object'
      ? (said as KeptPrices)
      : undefined
  } catch {
    return undefined
  }
}

/** Put in place whole: whoever reads meanwhile has the old or the new. @returns its path */
export function keep(dataDir: string, prices: KeptPrices): string {
  const path = pathIn(dataDir)
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(prices, null, 1)}\n`, { mode: 0o600 })
  renameSync(draft, path)
  return path
}
