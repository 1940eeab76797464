/**
 * Phone numbers: international ones by E.164 (a country's code, at most fifteen digits), national ones by the forms in which
 * they are written. A national number without its form or a word before it is a number like any other and is left alone.
 */

/** Codes that ITU-T E.164 has given to countries, by length. */
const ONE = new Set('17')
const TWO = new Set(
  '20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'.split(
    ' ',
  ),
)
/** Those of three digits begin with these two, and no code of two does. */
const THREE = /^(?:2[1-689]|3[578]|42|5[09]|6[789]|8[058]|9[679])\d/

/** @param digits of an international number, without `+` or `00` */
export function isInternational(digits: string): boolean {
  if (digits.length < 8 || digits.length > 15) return false
  if (digits[0] === '1') return digits.length === 11 && isNorthAmerican(digits.slice(1))
  return ONE.has(digits[0] as string) || TWO.has(digits.slice(0, 2)) || THREE.test(digits)
}

/** NANP: neither area nor exchange begins with 0 or 1. @param digits ten */
export const isNorthAmerican = (digits: string): boolean => /^[2-9]\d\d[2-9]\d{6}$/.test(digits)

const CUES = new Set(
  (
    'tel phone telephone mobile mob cell call dial fax whatsapp signal sms text reach ring handy mobil telefon rufnummer ' +
    'anrufen ruf portable téléphone telephone appeler appelez teléfono telefono móvil movil celular cellulare telefone ' +
    'telemóvel telefoon numer nummer número ligue телефон тел'
  ).split(' '),
)
const MORE_CUES = /電話|电话|手机|携帯|전화/

/** @param before what stands before a number, in small letters: whether a word in it says that a phone's comes */
export function saysPhone(before: string): boolean {
  let end = before.length
  let foreign = false
  for (let at = end - 1; at >= -1; at--) {
    const code = at < 0 ? 0 : before.charCodeAt(at)
    if (code > 0x2e7f) foreign = true
    if ((code >= 97 && code <= 122) || (code >= 0xc0 && code <= 0x45f)) continue
    if (end - at > 3 && end - at < 12 && CUES.has(before.slice(at + 1, end))) return true
    end = at
  }
  return foreign && MORE_CUES.test(before)
}

/**
 * How sure it is that these groups of digits are a phone number in one of the forms of its country.
 * @param shape the lengths of its groups: `3-3-4`
 * @param joints the separators between them, without spaces around
 */
export function nationalForm(digits: string, shape: string, joints: string, bracketed: boolean): number {
  const { length } = digits
  if (length < 7 || length > 11 || joints === '') return 0
  // United States, Canada: (212) 555-0147, 212-555-0147, 212.555.0147
  if (shape === '3-3-4' && isNorthAmerican(digits))
    return bracketed ? 0.85 : /^(?:--|\.\.|\/-)$/.test(joints) ? 0.75 : 0.55
  if (shape === '1-3-3-4' && digits[0] === '1' && isNorthAmerican(digits.slice(1))) return 0.75
  // Russia: 8 (912) 345-67-89
  if (shape === '1-3-3-2-2' && digits[0] === '8') return 0.7
  // Brazil: (11) 98765-4321
  if ((shape === '2-5-4' || shape === '2-4-4') && bracketed) return 0.8
  if (digits[0] !== '0' || digits[1] === '0') return 0
  // France, Belgium: 06 12 34 56 78
  if (shape === '2-2-2-2-2') return 0.8
  // United Kingdom: 020 7946 0018, 07700 900123, 0161 496 0000
  if (length === 11 && /^(?:3-4-4|5-6|5-3-3|4-3-4)$/.test(shape)) return 0.75
  // Australia, Japan, the Netherlands
  if (length === 10 && /^(?:4-3-3|2-4-4|2-8|3-7|3-3-4|2-2-2-2-2)$/.test(shape)) return 0.65
  if (length === 11 && /^(?:3-4-4|3-8)$/.test(shape)) return 0.7
  // Germany, Austria: 030 / 901820, 089-1234567
  if (joints[0] === '/' && shape.indexOf('-') >= 3 - 1) return 0.7
  return bracketed ? 0.7 : 0.3
}
