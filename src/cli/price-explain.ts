/** What a request would cost, part by part. */
import { batchPrice } from '../core/batch-price.ts'
import { showDollars, toDollars } from '../core/money.ts'
import { costOf, type Price } from '../core/price.ts'
import { nextPriceAt, priceAt, served } from '../core/price-at.ts'
import { type BookedPrice, dayOf } from '../core/price-book.ts'
import { priceLines } from '../core/price-lines.ts'
import { type Service, serviceOf, type Usage } from '../core/usage.ts'
import { momentOf } from './moment.ts'
import { type UsageArgs, usageOf } from './price-usage.ts'
import { plain } from './table.ts'
import { UsageError } from './terminal.ts'

export const serviceArg = {
  service: {
    type: 'string',
    description: 'How it is served: standard, priority, flex, batch, balanced or ultrafast. Default: standard',
  },
} as const

interface Asked extends UsageArgs {
  service?: string | undefined
  at?: string | undefined
}

export interface Explained {
  lines: string[]
  json: {
    model_name: string | null
    target: string
    at: string
    service: Service
    /** Null where the price is unknown. */
    version: string | null
    parts: { what: string; count: number; rate: string; cost: string }[]
    /** US dollars, rounded once to a nano-dollar; null where the price is unknown. */
    cost: number | null
    cost_nano: number | null
  }
}

/** @throws UsageError where what is asked is no usage, no service or no moment */
export function explainPrice(asked: Asked, now: number): (one: BookedPrice) => Explained {
  const used = usageOf(asked)
  const service = serviceOf(asked.service ?? 'standard')
  if (!service)
    throw new UsageError(
      `\`--service ${asked.service}\` is none: standard, priority, flex, batch, balanced and ultrafast are.`,
    )
  const at = asked.at === undefined ? now : momentOf(asked.at, '--at')
  return (one) => {
    const atThen = priceAt(one.price, at)
    const price = service === 'batch' ? batchPrice(atThen) : served(atThen, service)
    const isKnown = price.kind !== 'unknown'
    const parts = priceLines(price, used)
    const cost = isKnown ? costOf(price, used) : null
    return {
      lines: asText(one, price, used, at),
      json: {
        model_name: one.alias || null,
        target: one.target,
        at: new Date(at).toISOString(),
        service,
        version: isKnown ? price.version : null,
        parts: parts.map(({ what, count, rate, cost: part }) => ({ what, count, rate, cost: part })),
        cost: cost === null ? null : toDollars(cost),
        cost_nano: cost,
      },
    }
  }
}

function asText(one: BookedPrice, price: Price, used: Usage, at: number): string[] {
  const head = plain(one.alias === '' ? one.target : `${one.alias} → ${one.target}`)
  if (price.kind === 'unknown') return [`${head}: its price is unknown.`]
  if (price.kind === 'free') return [`${head}: free${price.version === 'free' ? '' : ` (${plain(price.version)})`}.`]
  const rows = priceLines(price, used).map((part) => [part.what, `${thousands(part.count)} ×`, part.rate, part.cost])
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const pad = (row: string[]) =>
    `  ${row.map((cell, i) => (i === 1 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ')}`
  const tier = price.tiers.findLast(({ above }) => used.input > above)
  const until = nextPriceAt(one.price, at)
  return [
    head,
    ...rows.map((row) => pad(row).trimEnd()),
    `  together, rounded once: ${showDollars(costOf(price, used))}`,
    `  by ${plain(price.version)}${tier ? `, above ${thousands(tier.above)} tokens of prompt` : ''}`,
    ...(until === undefined ? [] : [`  until ${dayOf(until)}`]),
  ]
}

const thousands = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 3 })
