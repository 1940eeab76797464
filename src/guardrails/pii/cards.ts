/** Numbers of payment cards: lengths and beginnings that issuers use (ISO/IEC 7812, the schemes' own lists), and Luhn. */
import { isUniform, luhn } from './checks.ts'

export type Scheme = 'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay' | 'maestro'

/** @param text digits only */
export function schemeOf(text: string): Scheme | undefined {
  const { length } = text
  if (length < 13 || length > 19) return undefined
  const two = Number(text.slice(0, 2))
  const four = Number(text.slice(0, 4))
  if (text.charCodeAt(0) === 52) return length === 13 || length === 16 || length === 19 ? 'visa' : undefined
  if (two === 34 || two === 37) return length === 15 ? 'amex' : undefined
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return length === 16 ? 'mastercard' : undefined
  if (four >= 3528 && four <= 3589) return length >= 16 ? 'jcb' : undefined
  if (two === 36 || two === 38 || two === 39 || (four >= 3000 && four <= 3059) || four === 3095)
    return length >= 14 ? 'diners' : undefined
  if (four === 6011 || two === 65 || (four >= 6440 && four <= 6499)) return length >= 16 ? 'discover' : undefined
  if (two === 62) return length >= 16 ? 'unionpay' : undefined
  return two === 50 || (two >= 56 && two <= 58) || two === 63 || two === 67 ? 'maestro' : undefined
}

/** @param text digits only */
export const isCard = (text: string): boolean => schemeOf(text) !== undefined && luhn(text) && !isUniform(text)
