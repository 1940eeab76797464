/** How much chance is in a text. */

/** Characters that are counted: the secrets that are weighed here are shorter. */
const MOST = 512
const COUNTS = new Uint16Array(128)
/** n · log2(n) */
const PRODUCTS = Float64Array.from({ length: MOST + 1 }, (_, n) => (n === 0 ? 0 : n * Math.log2(n)))

/** Shannon's entropy of its first 512 characters, in bits for each of them. */
export function entropy(text: string): number {
  const length = Math.min(text.length, MOST)
  if (length === 0) return 0
  COUNTS.fill(0)
  let others: Map<number, number> | undefined
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code < 128) COUNTS[code] = (COUNTS[code] as number) + 1
    else {
      others ??= new Map()
      others.set(code, (others.get(code) ?? 0) + 1)
    }
  }
  let sum = 0
  for (let code = 0; code < 128; code++) sum += PRODUCTS[COUNTS[code] as number] as number
  for (const count of others?.values() ?? []) sum += PRODUCTS[count] as number
  return Math.log2(length) - sum / length
}

/** Letters and digits, and so many bits for each character. */
export const isVaried = (text: string, bits: number): boolean =>
  /\d/.test(text) && /[A-Za-z]/.test(text) && entropy(text) >= bits
