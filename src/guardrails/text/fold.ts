/**
 * Texts as they are compared: without case, without marks that cannot be seen, wide and narrow forms alike (Unicode's NFKC),
 * and letters of other scripts that look like Latin ones as these. Where each character came from is kept.
 */

export interface Folded {
  text: string
  /** Of each character of `text`, where it stood; one more for the end. Undefined: where it stands now. */
  from: Uint32Array | undefined
}

const BEYOND_ASCII = /[^\x00-\x7f]/

/** Nobody sees them: zero width, soft hyphens, marks of direction, selectors, tags. */
export const isInvisible = (code: number): boolean =>
  code === 0xad ||
  code === 0x34f ||
  code === 0x61c ||
  code === 0x115f ||
  code === 0x1160 ||
  code === 0x17b4 ||
  code === 0x17b5 ||
  (code >= 0x180b && code <= 0x180f) ||
  (code >= 0x200b && code <= 0x200f) ||
  (code >= 0x202a && code <= 0x202e) ||
  (code >= 0x2060 && code <= 0x206f) ||
  code === 0x3164 ||
  code === 0xfeff ||
  code === 0xffa0 ||
  (code >= 0xfe00 && code <= 0xfe0f) ||
  (code >= 0xe0000 && code <= 0xe0fff)

/** Cyrillic and Greek letters that are taken for Latin ones (Unicode TR 39, confusables; small letters). */
const LOOKALIKES = new Map(
  Object.entries({
    а: 'a',
    в: 'b',
    с: 'c',
    ԁ: 'd',
    е: 'e',
    ё: 'e',
    һ: 'h',
    н: 'h',
    і: 'i',
    ї: 'i',
    ј: 'j',
    к: 'k',
    ӏ: 'l',
    м: 'm',
    о: 'o',
    р: 'p',
    ԛ: 'q',
    ѕ: 's',
    т: 't',
    ԝ: 'w',
    х: 'x',
    у: 'y',
    α: 'a',
    β: 'b',
    ε: 'e',
    η: 'n',
    ι: 'i',
    κ: 'k',
    ν: 'v',
    ο: 'o',
    ρ: 'p',
    τ: 't',
    υ: 'u',
    χ: 'x',
    ı: 'i',
    ɑ: 'a',
    ɡ: 'g',
    ʟ: 'l',
  }).map(([from, to]) => [from.codePointAt(0) as number, to]),
)

/** What single characters fold to; a text has few different ones. */
const known = new Map<number, string>()
const MOST_KNOWN = 4_096

export function fold(text: string): Folded {
  if (!BEYOND_ASCII.test(text)) return { text: text.toLowerCase(), from: undefined }
  const parts: string[] = []
  const from: number[] = []
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) as number
    const size = code > 0xffff ? 2 : 1
    const folded = foldOne(code)
    if (folded !== '') {
      parts.push(folded)
      for (let i = 0; i < folded.length; i++) from.push(at)
    }
    at += size
  }
  from.push(text.length)
  return { text: parts.join(''), from: Uint32Array.from(from) }
}

function foldOne(code: number): string {
  if (code < 128) return code >= 65 && code <= 90 ? String.fromCharCode(code + 32) : String.fromCharCode(code)
  const kept = known.get(code)
  if (kept !== undefined) return kept
  const char = String.fromCodePoint(code)
  // Marks that combine go: `é` of two characters is `e`, as `é` of one is.
  const plain = isInvisible(code) ? '' : char.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '')
  const folded = [...plain].map((one) => LOOKALIKES.get(one.codePointAt(0) as number) ?? one).join('')
  if (known.size < MOST_KNOWN) known.set(code, folded)
  return folded
}

/** Where a stretch of the folded text stood: all of the characters that it came from. */
export function unfold({ from }: Folded, start: number, end: number, text: string): { start: number; end: number } {
  if (!from) return { start, end }
  const last = from[end - 1] as number
  // Behind the last character, with the marks and invisible ones that belong to it.
  let to = last + ((text.codePointAt(last) as number) > 0xffff ? 2 : 1)
  const next = from[end] as number
  if (next > to && next <= to + 32) to = text.slice(to, next).trimEnd() === '' ? to : next
  return { start: from[start] as number, end: to }
}
