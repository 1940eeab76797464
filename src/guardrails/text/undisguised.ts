/**
 * Texts as they are read for numbers and addresses: without what nobody sees, wide letters, digits of other scripts and blanks
 * that do not break as ASCII has them, and an `@` that a URL or a page spells in another way. Where each came from is kept.
 */
import { isInvisible } from './fold.ts'

export interface Undisguised {
  text: string
  /** A stretch of `text`, as it stands in what it came from. */
  place(start: number, end: number): [start: number, end: number]
}

/** What may be read in another way; `plainOf` says how. */
const DISGUISED =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each stands for itself.
  /%40|&#0{0,4}64;|&#x0{0,4}40;|&commat;|[\ufe00-\ufe0f\u034f\xa0\xad\u061c\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2011\u202a-\u202f\u205f-\u206f\u3000\u3164\ufeff\uff01-\uff5e\uffa0]/g
/** Zeros of scripts whose ten digits follow one another. */
const ZEROS = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50]

/** Where there is nothing of the kind it costs a look for it. Linear. */
export function undisguised(text: string): Undisguised {
  // Of each that is read in another way: where it is read, whether it is read at all, where it stands, and up to where.
  const changes: number[] = []
  let out = ''
  let kept = 0
  for (const { 0: found, index } of text.matchAll(DISGUISED)) {
    const plain = plainOf(found)
    out += text.slice(kept, index)
    kept = index + found.length
    changes.push(out.length, plain.length, index, kept)
    out += plain
  }
  if (kept === 0) return { text, place: (start, end) => [start, end] }
  return {
    text: out + text.slice(kept),
    place: (start, end) => [placeOf(changes, start)[0], placeOf(changes, end - 1)[1]],
  }
}

/** Where a character of what is read stands, and up to where. */
function placeOf(changes: readonly number[], at: number): [start: number, end: number] {
  let low = 0
  let high = changes.length / 4
  while (low < high) {
    const middle = (low + high) >> 1
    if ((changes[4 * middle] as number) <= at) low = middle + 1
    else high = middle
  }
  if (low === 0) return [at, at + 1]
  const [read, length, start, end] = changes.slice(4 * (low - 1), 4 * low) as [number, number, number, number]
  if (read + length > at) return [start, end]
  const place = end + at - read - length
  return [place, place + 1]
}

function plainOf(found: string): string {
  const code = found.charCodeAt(0)
  if (code < 0x80) return '@'
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0)
  if (code === 0x2011) return '-'
  if (isInvisible(code)) return ''
  const zero = ZEROS.find((one) => code >= one && code < one + 10)
  return zero === undefined ? ' ' : String(code - zero)
}
