/** Money is an integer number of nano-dollars in a double: exact up to 9 million dollars a counter. */

const NANO = 1_000_000_000

/** Dollars as people write them → nano-dollars, rounded to the nearest. */
export const fromDollars = (dollars: number): number => Math.round(dollars * NANO)

/** Nano-dollars → dollars, for JSON numbers and headers. */
export const toDollars = (nano: number): number => nano / NANO

/** Dollars per single token as LiteLLM writes them (1.5e-7) → nano-dollars per million tokens. */
export const ratePerMillion = (dollarsPerToken: number): number => Math.round(dollarsPerToken * NANO * 1_000_000)

/** `$0.000007650`: all nine places, since a rounded amount can't be added up again. */
export function showDollars(nano: number): string {
  const sign = nano < 0 ? '-' : ''
  const all = Math.abs(nano)
  return `${sign}$${Math.floor(all / NANO)}.${String(all % NANO).padStart(9, '0')}`
}
