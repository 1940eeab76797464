/** LiteLLM's discounts and margins (docs.litellm.ai/docs/proxy/provider_discounts, …/provider_margins), by provider. */
import { fromDollars } from '../core/money.ts'
import type { Adjustment } from '../core/price-lay.ts'
import type { KnownProvider } from './config.ts'
import type { FileConfig } from './schema.ts'

/** The line for every provider that has none of its own. */
export const GLOBAL = 'global'

/** What is taken off and put on for a provider; undefined where nothing is. */
export function adjustmentsOf(
  settings: FileConfig['litellm_settings'],
): (provider: KnownProvider) => Adjustment | undefined {
  const { cost_discount_config: discounts = {}, cost_margin_config: margins = {} } = settings
  return (provider) => {
    const lineOf = <T>(lines: Readonly<Record<string, T>>): T | undefined => {
      const name = [provider.id, ...(provider.prefixes ?? [])].find((n) => Object.hasOwn(lines, n))
      return name === undefined ? undefined : lines[name]
    }
    const said = lineOf(margins) ?? (Object.hasOwn(margins, GLOBAL) ? margins[GLOBAL] : undefined)
    const { percentage = 0, fixed_amount = 0 } = typeof said === 'number' ? { percentage: said } : (said ?? {})
    const discount = lineOf(discounts) ?? 0
    if (discount === 0 && percentage === 0 && fixed_amount === 0) return undefined
    return { discount, margin: percentage, fee: fromDollars(fixed_amount) }
  }
}
