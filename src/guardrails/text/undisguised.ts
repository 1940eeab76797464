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

const BEYOND_ASCII = /[^\x00-\x7f]/
const SPELT_AT = /%40|&#0{0,4}64;|&#x0{0,4}40;|&commat;/y
/** Zeros of scripts whose ten digits follow one another. */
const ZEROS = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50]

/** Where there is nothing of the kind it costs a look for it. Linear. */
export function undisguised(text: string): Undisguised {
  const mayBeSpelt = text.includes('%40') || text.includes('&')
  if (!mayBeSpelt && !BEYOND_ASCII.test(text)) return { text, place: (start, end) => [start, end] }
  let out = ''
  let taken = 0
  // Of each character, where what it stands for begins; and where that ends.
  const from = new Uint32Array(text.length)
  const to = new Uint32Array(text.length)
  const add = (start: number, end: number) => {
    from[taken] = start
    to[taken++] = end
  }
  let kept = 0
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    let width = 1
    let plain: string | undefined
    if (code === PERCENT || code === AMPERSAND) {
      SPELT_AT.lastIndex = at
      const spelt = SPELT_AT.exec(text)?.[0]
      if (spelt !== undefined) [plain, width] = ['@', spelt.length]
    } else if (code > 0x7f) plain = plainOf(code)
    if (plain === undefined) add(at, at + 1)
    else {
      out += text.slice(kept, at) + plain
      if (plain !== '') add(at, at + width)
      kept = at + width
    }
    at += width
  }
  if (kept === 0) return { text, place: (start, end) => [start, end] }
  return {
    text: out + text.slice(kept),
    place: (start, end) => [from[start] as number, to[end - 1] as number],
  }
}

const [PERCENT, AMPERSAND] = [0x25, 0x26]

/** What is read in its place; undefined: itself. */
function plainOf(code: number): string | undefined {
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0)
  if (code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x202f || code === 0x205f || code === 0x3000)
    return ' '
  if (code === 0x2011) return '-'
  if (isInvisible(code)) return ''
  const zero = ZEROS.find((one) => code >= one && code < one + 10)
  return zero === undefined ? undefined : String(code - zero)
}
