/** Usage in Converse's words: `inputTokens` is what neither was read from the cache nor written to it. */
import { serviceOf, type Usage, usage } from '../../core/usage.ts'
import { isObject } from '../wire.ts'

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)

/** @param tier `serviceTier` as it stands beside it: `{type: 'priority'}` */
export function readUsage(said: unknown, tier?: unknown): Usage | undefined {
  if (!isObject(said)) return undefined
  const cacheRead = count(said.cacheReadInputTokens)
  const written = count(said.cacheWriteInputTokens)
  const input = count(said.inputTokens) + cacheRead + written
  if (input + count(said.outputTokens) === 0) return undefined
  const details = Array.isArray(said.cacheDetails) ? said.cacheDetails.filter(isObject) : []
  const hours = details.reduce((sum, one) => sum + (one.ttl === '1h' ? count(one.inputTokens) : 0), 0)
  const cacheWriteHour = Math.min(hours, written)
  return usage(
    { input, cacheRead, cacheWrite: written - cacheWriteHour, cacheWriteHour, output: said.outputTokens },
    isObject(tier) ? serviceOf(tier.type) : undefined,
  )
}
