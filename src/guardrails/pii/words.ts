/** Words of letters and digits that are the number of an account, a person or a wallet. */
import { isAlnum } from '../text/chars.ts'
import { hasCue } from '../text/cue.ts'
import { isBase58Address, isBech32Address, isEthereumAddress } from './crypto.ts'
import type { Tell } from './entities.ts'
import { ibanLength, isIban } from './iban.ts'
import { isEsNie, isEsNif, isFiPersonal, isInPan, isItFiscalCode, isSgNric, isUkNino } from './ids.ts'

export const PASSPORT_CUE =
  /(?:passport|passeport|reisepass|pasaporte|passaporto|paspoort|paszport|passaporte|护照|パスポート|паспорт)[^\n]{0,24}$/
const PAN_CUE = /\bpan\b|permanent account/

/** @returns where to go on */
export function mixed(text: string, start: number, end: number, tell: Tell): number {
  const length = end - start
  const first = text.charCodeAt(start)
  const capital = first >= 65 && first <= 90
  if (capital && isDigits(text, start + 2, 2) && isCapital(text.charCodeAt(start + 1))) {
    const to = iban(text, start, tell)
    if (to > 0) return to
  }
  if (length === 42 && isEthereumAddress(text.slice(start, end))) tell('CRYPTO', start, end, 0.8)
  else if (length >= 26 && length <= 90) wallet(text, start, end, tell)
  else if (length === 16) {
    if (isItFiscalCode(text.slice(start, end).toUpperCase())) tell('IT_FISCAL_CODE', start, end, 0.95)
  } else if (length === 9 || length === 10 || length === 8) {
    const word = text.slice(start, end)
    if (length === 9 && capital && isUkNino(word)) tell('UK_NINO', start, end, 0.9)
    else if (isEsNif(word)) tell('ES_NIF', start, end, 0.85)
    else if (isEsNie(word)) tell('ES_NIE', start, end, 0.9)
    else if (isSgNric(word)) tell('SG_NRIC_FIN', start, end, 0.85)
    else if (isInPan(word)) tell('IN_PAN', start, end, hasCue(text, start, PAN_CUE) ? 0.9 : 0.5)
  }
  // 131052A308T, of this century and the next sign.
  if (length === 11 && isFiPersonal(text.slice(start, end))) tell('FI_PERSONAL_IDENTITY_CODE', start, end, 0.9)
  if (length >= 7 && length <= 9 && hasCue(text, start, PASSPORT_CUE)) tell('PASSPORT', start, end, 0.8)
  return end
}

/** With or without spaces between groups of four. @returns its end, or -1 */
function iban(text: string, start: number, tell: Tell): number {
  const wanted = ibanLength(text.slice(start, start + 2))
  if (wanted === undefined) return -1
  let account = ''
  let at = start
  for (let since = 0; account.length < wanted; ) {
    const code = text.charCodeAt(at)
    if (isAlnum(code)) {
      account += text[at]
      since++
    } else if ((code === 32 || code === 0xa0 || code === 45) && since >= 2) since = 0
    else return -1
    at++
  }
  if (isAlnum(text.charCodeAt(at)) || !isIban(account.toUpperCase())) return -1
  tell('IBAN_CODE', start, at, 0.95)
  return at
}

function wallet(text: string, start: number, end: number, tell: Tell): void {
  const word = text.slice(start, end)
  if (/^(?:[13LMX]|D[5-9A-HJ-NP-U])/.test(word) && isBase58Address(word)) tell('CRYPTO', start, end, 0.95)
  else if (/^(?:bc1|tb1|ltc1|BC1)/.test(word) && isBech32Address(word.toLowerCase())) tell('CRYPTO', start, end, 0.95)
}

const NINO = /[A-Z]{2} ?\d{2} \d{2} \d{2} ?[A-D](?![A-Za-z0-9])/y
/** National Insurance in pairs: AB 12 34 56 C. @param at of two capitals @returns its end, or -1 */
export function spacedNino(text: string, at: number, tell: Tell): number {
  NINO.lastIndex = at
  const word = NINO.exec(text)?.[0]
  if (word === undefined || !isUkNino(word.replaceAll(' ', ''))) return -1
  tell('UK_NINO', at, at + word.length, 0.9)
  return at + word.length
}

const isCapital = (code: number): boolean => code >= 65 && code <= 90
const isDigits = (text: string, at: number, count: number): boolean => {
  for (let i = at; i < at + count; i++) {
    const code = text.charCodeAt(i)
    if (!(code >= 48 && code <= 57)) return false
  }
  return true
}

const BIRTH =
  /(?:born|geboren|geb\.|birth(?:day|date)?|geburtsdatum|naissance|née?|nacid[oa]|nacimiento|nat[oa])\W{1,4}(?:(?:on|am|le|el|il|the|is|date|:)\W{1,2}){0,2}((?:\d{1,2}(?:st|nd|rd|th|\.|er)? (?:de |of )?\p{L}{3,9}\.?,? (?:de )?|\p{L}{3,9} \d{1,2}(?:st|nd|rd|th)?,? )(?:19|20)\d\d)$/iu
const BORN = /born|birth|geb|nai|né|nac|nat/i
/** A date with its month in letters, behind a word of birth. @param end behind a year */
export function wordedBirth(text: string, end: number, tell: Tell): void {
  const century = text.charCodeAt(end - 4)
  if ((century !== 49 && century !== 50) || isDigits(text, end - 6, 1)) return
  const before = text.slice(Math.max(0, end - 64), end)
  if (!BORN.test(before)) return
  const date = BIRTH.exec(before)?.[1]
  if (date !== undefined) tell('DATE_OF_BIRTH', end - date.length, end, 0.8)
}
