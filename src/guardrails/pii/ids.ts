/** Numbers by which states know people, with what each of them lets one check. */
import { isDay, isUniform, luhn, mod11_10, verhoeff, weighted } from './checks.ts'

/** Social Security Administration: no area 000, 666 or 9xx, no group 00, no serial 0000. @param text nine digits */
export const isUsSsn = (text: string): boolean => {
  const area = Number(text.slice(0, 3))
  return (
    area !== 0 &&
    area !== 666 &&
    area < 900 &&
    text.slice(3, 5) !== '00' &&
    text.slice(5) !== '0000' &&
    // Printed on sample cards, and nobody's.
    text !== '078051120' &&
    text !== '219099999' &&
    text !== '123456789'
  )
}

/** IRS: 9xx, and a group of 50–65, 70–88, 90–92 or 94–99. @param text nine digits */
export const isUsItin = (text: string): boolean => {
  const group = Number(text.slice(3, 5))
  return (
    text[0] === '9' && ((group >= 50 && group <= 65) || (group >= 70 && group <= 99 && group !== 89 && group !== 93))
  )
}

/** HMRC's rules for prefixes (NIM39110). @param text two letters, six digits, A–D */
export const isUkNino = (text: string): boolean =>
  /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(text) && !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(text)

/** NHS Data Dictionary: modulus 11. @param text ten digits */
export const isUkNhs = (text: string): boolean => {
  if (isUniform(text)) return false
  const check = 11 - (weighted(text, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return (check === 11 ? 0 : check) === Number(text[9])
}

/** § 139b AO: no 0 in front, one digit twice or three times among the first ten, one at least missing. @param text eleven digits */
export const isDeTaxId = (text: string): boolean => {
  if (text[0] === '0' || !mod11_10(text)) return false
  const kinds = new Set(text.slice(0, 10)).size
  return kinds === 9 || kinds === 8
}

const DNI = 'TRWAGMYFPDXBNJZSQVHLCKE'
/** @param text eight digits and a letter */
export const isEsNif = (text: string): boolean =>
  /^\d{8}[A-Z]$/.test(text) && DNI[Number(text.slice(0, 8)) % 23] === text[8]
/** @param text X, Y or Z, seven digits, a letter */
export const isEsNie = (text: string): boolean =>
  /^[XYZ]\d{7}[A-Z]$/.test(text) &&
  DNI[Number(`${'XYZ'.indexOf(text[0] as string)}${text.slice(1, 8)}`) % 23] === text[8]

const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
/** D.M. 23/12/1976. @param text sixteen capitals and digits */
export function isItFiscalCode(text: string): boolean {
  if (!/^[A-Z]{6}[\dLMNPQRSTUV]{2}[A-EHLMPRST][\dLMNPQRSTUV]{2}[A-Z][\dLMNPQRSTUV]{3}[A-Z]$/.test(text)) return false
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const code = text.charCodeAt(i)
    const value = code <= 57 ? code - 48 : code - 65
    sum += i % 2 === 0 ? (ODD[value] as number) : value
  }
  return sum % 26 === text.charCodeAt(15) - 65
}

/** The eleven test. @param text nine digits */
export const isNlBsn = (text: string): boolean =>
  !isUniform(text) && weighted(text, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0

/** A date of birth with the century in its month, and modulus 10. @param text eleven digits */
export function isPlPesel(text: string): boolean {
  const month = Number(text.slice(2, 4))
  const century = [1900, 2000, 2100, 2200, 1800][Math.floor(month / 20)] as number
  return (
    isDay(century + Number(text.slice(0, 2)), month % 20, Number(text.slice(4, 6))) &&
    weighted(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
  )
}

/** INSEE: sex, year, month, place, order, and 97 less the rest. @param text thirteen digits and two check digits */
export function isFrNir(text: string): boolean {
  const month = Number(text.slice(3, 5))
  return (
    /^[1278]/.test(text) &&
    (month <= 12 || (month >= 20 && month <= 42) || month >= 50) &&
    month > 0 &&
    97 - (Number(text.slice(0, 13)) % 97) === Number(text.slice(13))
  )
}

/** UIDAI: Verhoeff, no 0 or 1 in front. @param text twelve digits */
export const isInAadhaar = (text: string): boolean =>
  text[0] !== '0' && text[0] !== '1' && verhoeff(text) && !isUniform(text)

/** Five letters, of which the fourth says whose kind it is, four digits, a letter. */
export const isInPan = (text: string): boolean => /^[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]$/.test(text)

/** Receita Federal: two check digits of modulus 11. @param text eleven digits */
export function isBrCpf(text: string): boolean {
  if (isUniform(text)) return false
  const first = ((weighted(text, [10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10
  const second = ((weighted(text, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10
  return first === Number(text[9]) && second === Number(text[10])
}

/** @param text a letter, seven digits, a letter */
export function isSgNric(text: string): boolean {
  if (!/^[STFGM]\d{7}[A-Z]$/.test(text)) return false
  const series = text[0] as string
  const sum =
    weighted(text.slice(1), [2, 7, 6, 5, 4, 3, 2]) + (series === 'T' || series === 'G' ? 4 : series === 'M' ? 3 : 0)
  const letters = series === 'M' ? 'KLJNPQRTUWX' : series === 'S' || series === 'T' ? 'JZIHGFEDCBA' : 'XWUTRQPNMLK'
  return letters[series === 'M' ? 10 - (sum % 11) : sum % 11] === text[8]
}

/** ATO: weights, modulus 11. @param text nine digits */
export const isAuTfn = (text: string): boolean =>
  !isUniform(text) && weighted(text, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0

/** A date of birth, a sign of the century, three digits, and a character of modulus 31. */
export function isFiPersonal(text: string): boolean {
  const [, day, month, year, sign, order, check] =
    /^(\d\d)(\d\d)(\d\d)([+\-YXWVUABCDEF])(\d{3})([\dA-Y])$/.exec(text) ?? []
  if (!day || !sign) return false
  const century = sign === '+' ? 1800 : '-YXWVU'.includes(sign) ? 1900 : 2000
  return (
    isDay(century + Number(year), Number(month), Number(day)) &&
    '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(`${day}${month}${year}${order}`) % 31] === check
  )
}

/** Switzerland: an EAN-13 that begins with the country's own number. @param text thirteen digits */
export const isChAhv = (text: string): boolean =>
  text.startsWith('756') && (10 - (weighted(text, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === Number(text[12])

/** Sweden: a date of birth and Luhn. @param text ten digits */
export const isSePersonal = (text: string): boolean => {
  const day = Number(text.slice(4, 6))
  return isDay(2000, Number(text.slice(2, 4)), day > 60 ? day - 60 : day) && luhn(text)
}
