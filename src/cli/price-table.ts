/** Prices as a table for people, and as JSON for programs. */
import { type BookedPrice, wholeWords } from '../core/price-book.ts'
import { showWord } from '../core/price-words.ts'
import { plain, table } from './table.ts'

/** Those in columns of their own, in dollars per million tokens. */
const COLUMNS = ['input_cost_per_token', 'cache_read_input_token_cost', 'output_cost_per_token'] as const

const HEAD = ['MODEL', 'TARGET', 'PROMPT', 'CACHED', 'ANSWER', 'FROM'] as const

/** @param now the moment whose prices are shown, ms since the epoch */
export function priceRows(rows: readonly BookedPrice[], now: number): string[] {
  if (rows.length === 0) return ['There is nothing like this.']
  const told = rows.map((row) => ({ row, words: wholeWords(row.price, now) }))
  const lines = table(
    HEAD,
    told.map(({ row, words }) => [
      plain(row.alias || '-'),
      plain(row.target),
      ...COLUMNS.map((word) => columnOf(row, words[word])),
      row.price.kind === 'unknown' ? '-' : plain(row.price.version),
    ]),
  )
  return [
    'US dollars per million tokens:',
    lines[0] as string,
    ...told.flatMap(({ words }, i) => [
      lines[i + 1] as string,
      ...Object.entries(words)
        .filter(([word]) => !(COLUMNS as readonly string[]).includes(word))
        .map(([word, dollars]) => `    ${word}: ${showWord(word, dollars)}`),
    ]),
  ]
}

function columnOf({ price }: BookedPrice, dollars: number | undefined): string {
  if (price.kind === 'unknown') return '?'
  return dollars === undefined ? '-' : String(Number((dollars * 1e6).toPrecision(12)))
}

/** LiteLLM's words, as in /model/info. */
export const asJson = ({ alias, target, id, price }: BookedPrice, now: number): Record<string, unknown> => ({
  ...(alias === '' ? {} : { model_name: alias, id }),
  target,
  known: price.kind !== 'unknown',
  version: price.kind === 'unknown' ? null : price.version,
  ...wholeWords(price, now),
})

/** What has no price, and what that means. */
export function unpriced(rows: readonly BookedPrice[]): string[] {
  const without = rows.filter(({ price }) => price.kind === 'unknown').map((r) => plain(r.alias || r.target))
  if (without.length === 0) return []
  return [
    `Without a price: ${[...new Set(without)].join(', ')}.`,
    'Callers with a budget are refused there (`tollgate.unpriced: allow` lets them), others are not charged. Name a price with `input_cost_per_token` and `output_cost_per_token`, or what it is by `model_info.base_model`.',
  ]
}
