/**
 * What the mock asks for what it sold: its own bill, from its own counts and its own tariff. Nothing of it is read from
 * the gateway, and nothing of the gateway's code is used.
 */
import type { Seen } from './record.ts'

/** Nano-dollars per million tokens (or ms); nano-dollars a search and a request. */
export interface Tariff {
  prompt: bigint
  answer: bigint
  cached?: bigint
  written?: bigint
  writtenHour?: bigint
  reasoning?: bigint
  gpu?: bigint
  search?: bigint
  request?: bigint
  /** Another tariff for prompts of more than so many tokens. */
  long?: { above: number; tariff: Tariff }
  services?: Partial<Record<'priority' | 'flex', Tariff>>
}

/** One request, in nano-dollars, rounded half up. */
export function invoiceOf({ sold, detail }: Seen, all: Tariff): bigint {
  const ofService = (detail.service && all.services?.[detail.service]) || all
  const tariff = ofService.long && sold.prompt > ofService.long.above ? ofService.long.tariff : ofService
  const { cacheRead = 0, cacheWrite = 0, cacheWriteHour = 0, reasoning = 0, searches = 0, gpuMs = 0 } = detail
  const lines: [count: number, rate: bigint][] = [
    [sold.prompt - cacheRead - cacheWrite - cacheWriteHour, tariff.prompt],
    [cacheRead, tariff.cached ?? tariff.prompt],
    [cacheWrite, tariff.written ?? tariff.prompt],
    [cacheWriteHour, tariff.writtenHour ?? tariff.written ?? tariff.prompt],
    [sold.completion - reasoning, tariff.answer],
    [reasoning, tariff.reasoning ?? tariff.answer],
    [gpuMs, tariff.gpu ?? 0n],
  ]
  const micros = lines.reduce((sum, [count, rate]) => sum + BigInt(count) * rate, 0n)
  return (micros + 500_000n) / 1_000_000n + BigInt(searches) * (tariff.search ?? 0n) + (tariff.request ?? 0n)
}
