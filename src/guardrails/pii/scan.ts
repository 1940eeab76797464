/** Looks at each character of a text once, and closer where something begins that may be somebody's. */
import { classOf, HAS_DIGIT, HAS_LETTER, isAlnum, MARK } from '../text/chars.ts'
import { credentials, email, ipv6, mac } from './addresses.ts'
import type { Tell } from './entities.ts'
import { isFiPersonal } from './ids.ts'
import { Numbers } from './numbers.ts'
import { mixed, spacedNino, wordedBirth } from './words.ts'

export function scan(text: string, tell: Tell): void {
  const numbers = new Numbers(text, tell)
  const { length } = text
  for (let at = 0; at < length; ) {
    const kind = classOf(text.charCodeAt(at))
    if (kind === 0) {
      at++
      continue
    }
    if (kind === MARK) {
      at = marked(text, at, tell)
      continue
    }
    let end = at + 1
    let seen = kind
    for (; end < length; end++) {
      const next = classOf(text.charCodeAt(end))
      if ((next & (HAS_LETTER | HAS_DIGIT)) === 0) break
      seen |= next
    }
    at = word(text, at, end, seen, numbers, tell)
  }
}

function marked(text: string, at: number, tell: Tell): number {
  if (text.charCodeAt(at) === 64) return email(text, at, tell)
  if (text.charCodeAt(at + 1) === 47 && text.charCodeAt(at + 2) === 47) {
    credentials(text, at, tell)
    return at + 3
  }
  return ipv6(text, at, tell)
}

/** @returns where to go on */
function word(text: string, at: number, end: number, seen: number, numbers: Numbers, tell: Tell): number {
  const size = end - at
  if (size === 2) {
    const next = text.charCodeAt(end)
    if (next === 58 || next === 45) {
      const to = mac(text, at, tell)
      if (to > 0) return to
    } else if (seen === HAS_LETTER && next === 32) {
      const to = isCapital(text.charCodeAt(at)) && isDigit(text.charCodeAt(end + 1)) ? spacedNino(text, at, tell) : -1
      if (to > 0) return to
    }
  }
  if (seen === HAS_LETTER) return end
  if (seen !== HAS_DIGIT) return mixed(text, at, end, tell)
  if (size === 4) wordedBirth(text, end, tell)
  else if (size === 6) finnish(text, at, tell)
  return numbers.chain(at, end)
}

/** 131052-308T: its second half is a word of its own. */
function finnish(text: string, at: number, tell: Tell): void {
  const sign = text.charCodeAt(at + 6)
  if (sign !== 45 && sign !== 43) return
  if (!isAlnum(text.charCodeAt(at + 11)) && isFiPersonal(text.slice(at, at + 11)))
    tell('FI_PERSONAL_IDENTITY_CODE', at, at + 11, 0.9)
}

const isCapital = (code: number): boolean => code >= 65 && code <= 90
const isDigit = (code: number): boolean => code >= 48 && code <= 57
