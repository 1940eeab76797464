/** Check digits: what tells a number of a card, an account or a person from one that only looks like it. */

const ZERO = 48
const digit = (text: string, at: number): number => text.charCodeAt(at) - ZERO

/** ISO/IEC 7812. @param text digits only */
export function luhn(text: string): boolean {
  let sum = 0
  for (let at = text.length - 1, twice = false; at >= 0; at--, twice = !twice) {
    let one = digit(text, at)
    if (twice) {
      one *= 2
      if (one > 9) one -= 9
    }
    sum += one
  }
  return sum % 10 === 0
}

/** ISO 7064 MOD 97-10 as of IBAN: the first four characters behind the others, letters as 10–35. */
export function mod97(iban: string): boolean {
  let rest = 0
  for (let i = 0; i < iban.length; i++) {
    const code = iban.charCodeAt((i + 4) % iban.length)
    rest = code <= 57 ? (rest * 10 + code - ZERO) % 97 : (rest * 100 + code - 55) % 97
  }
  return rest === 1
}

/** Sum of digits by weight. */
export function weighted(text: string, weights: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += digit(text, i) * (weights[i] as number)
  return sum
}

/** ISO 7064 MOD 11,10: Germany's tax number. */
export function mod11_10(text: string): boolean {
  let product = 10
  for (let i = 0; i < text.length - 1; i++) {
    const sum = (digit(text, i) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digit(text, text.length - 1)
}

/** J. Verhoeff, Error Detecting Decimal Codes, 1969: the dihedral group of the pentagon. */
export function verhoeff(text: string): boolean {
  let check = 0
  for (let i = 0; i < text.length; i++) {
    let one = digit(text, text.length - 1 - i)
    for (let turn = i % 8; turn > 0; turn--) one = PERMUTED[one] as number
    check = dihedral(check, one)
  }
  return check === 0
}
const PERMUTED = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
const dihedral = (a: number, b: number): number =>
  a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5

/** Whether there is such a day. @param year of four digits */
export function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= ((month === 2 && leap ? 29 : DAYS[month - 1]) as number)
}
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** All the same digit: passes many a check and is nobody's. */
export const isUniform = (text: string): boolean => {
  for (let i = 1; i < text.length; i++) if (text.charCodeAt(i) !== text.charCodeAt(0)) return false
  return true
}
