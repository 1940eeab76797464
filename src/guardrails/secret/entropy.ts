/** How much chance is in a text. */

/** Shannon's entropy of its characters, in bits for each of them. */
export function entropy(text: string): number {
  const counts = new Map<number, number>()
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** Letters and digits, and so many bits for each character. */
export const isVaried = (text: string, bits: number): boolean =>
  /\d/.test(text) && /[A-Za-z]/.test(text) && entropy(text) >= bits
