/** Sums of charges as LiteLLM's reports write them. */
import { toDollars } from '../core/money.ts'
import type { Figures } from '../store/reports.ts'

export const NO_FIGURES: Figures = {
  ...{ cost: 0, requests: 0, failed: 0, input: 0, cacheRead: 0, cacheWrite: 0, output: 0, reasoning: 0 },
}

/** A new sum. */
export function plus(a: Figures, b: Figures): Figures {
  return {
    cost: a.cost + b.cost,
    requests: a.requests + b.requests,
    failed: a.failed + b.failed,
    input: a.input + b.input,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  }
}

/** LiteLLM's SpendMetrics, and our exact sum beside its dollars. */
export const showMetrics = (f: Figures): Record<string, number> => ({
  spend: toDollars(f.cost),
  spend_nano: f.cost,
  prompt_tokens: f.input,
  completion_tokens: f.output,
  cache_read_input_tokens: f.cacheRead,
  cache_creation_input_tokens: f.cacheWrite,
  reasoning_tokens: f.reasoning,
  total_tokens: f.input + f.output,
  successful_requests: f.requests - f.failed,
  failed_requests: f.failed,
  api_requests: f.requests,
})

/** Groups rows by a name and adds each group up, in the order in which the names first come. */
export function groupBy<T extends Figures>(
  rows: readonly T[],
  nameOf: (row: T) => string,
): Map<string, { sum: Figures; rows: T[] }> {
  const groups = new Map<string, { sum: Figures; rows: T[] }>()
  for (const row of rows) {
    const name = nameOf(row)
    const group = groups.get(name)
    if (group) {
      group.sum = plus(group.sum, row)
      group.rows.push(row)
    } else groups.set(name, { sum: plus(NO_FIGURES, row), rows: [row] })
  }
  return groups
}
