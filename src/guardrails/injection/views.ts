/** Texts behind a text: what it says when it is decoded. Bounded, so that nobody can make one look for ever. */

/** Another reading of a stretch of a text. */
export interface View {
  text: string
  start: number
  end: number
}

/** Characters of one that are read. */
const MOST = 4_096
const SHORTEST_CODE = 24
/** Characters between words with digits in them that belong together. */
const LEET_GAP = 200

const LETTER = 1
const DIGIT = 2
const CODE = 4
/** Of all characters, so that no look has to ask whether there is one. */
const TABLE = new Uint8Array(65_536)
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ') TABLE[char.charCodeAt(0)] = LETTER
for (const char of '0123456789') TABLE[char.charCodeAt(0)] = DIGIT
for (const char of '+/-_=@$!') TABLE[char.charCodeAt(0)] = CODE

/** @param text as it was written */
export function viewsOf(text: string): View[] {
  const views: View[] = []
  const add = (read: string | undefined, start: number, end: number) => {
    if (read !== undefined) views.push({ text: read, start, end })
  }
  let [single, singleFrom, singleTo, mixed, mixedFrom, mixedTo] = [0, 0, 0, 0, 0, 0]
  // 1gn0r3: digits in the place of letters.
  const leet = () => {
    if (mixed < 2) return
    const [start, to] = [Math.max(0, mixedFrom - 64), Math.min(mixedTo + 64, text.length)]
    add(
      text.slice(start, to).replace(/[013457@$]/g, (char) => LEET[char] as string),
      start,
      to,
    )
  }
  const { length } = text
  for (let at = 0; at < length; ) {
    let seen = TABLE[text.charCodeAt(at)] as number
    if (seen === 0) {
      at++
      continue
    }
    let end = at + 1
    for (; end < length; end++) {
      const what = TABLE[text.charCodeAt(end)] as number
      if (what === 0) break
      seen |= what
    }
    const size = end - at
    // A word, as most are.
    if (seen === LETTER && size > 1 && size < SHORTEST_CODE) {
      at = end + 1
      continue
    }
    if (size >= SHORTEST_CODE && (seen & LETTER) !== 0) add(decoded(text.slice(at, Math.min(end, at + MOST))), at, end)
    // S p a c e d: letters that stand alone, of which there are many in a row.
    if (size === 1 && (seen & LETTER) !== 0) {
      if (single === 0 || at - singleTo > 3) {
        if (single >= 8) add(collapsed(text, singleFrom, singleTo), singleFrom, singleTo)
        single = 0
        singleFrom = at
      }
      single++
      singleTo = end
    }
    if (size >= 3 && size < SHORTEST_CODE && (seen & LETTER) !== 0 && seen !== LETTER && isLeet(text, at, end)) {
      // Those that are far from the last one begin another stretch.
      if (mixed === 0 || at - mixedTo > LEET_GAP || end - mixedFrom > MOST) {
        leet()
        mixed = 0
        mixedFrom = at
      }
      mixed++
      mixedTo = end
    }
    at = end
  }
  if (single >= 8) add(collapsed(text, singleFrom, singleTo), singleFrom, singleTo)
  leet()
  const turned = ROTATED.exec(text.length > 65_536 ? text.slice(0, 65_536) : text)
  if (turned)
    add(rot13(text.slice(turned.index, turned.index + MOST)), turned.index, Math.min(text.length, turned.index + MOST))
  return views
}

const ROTATED = /rot-?13|caesar/i

/** Whether a digit that looks like a letter stands between letters, or before them: `pr3v`, `4ll`; not `web3`, `x=1`. */
function isLeet(text: string, from: number, to: number): boolean {
  for (let at = from; at < to - 1; at++) {
    const code = text.charCodeAt(at)
    // Addresses of e-mail have an @ between letters, too.
    if (!(code >= 48 && code <= 57) || LEET[text[at] as string] === undefined) continue
    const after = text.charCodeAt(at + 1)
    if (after < 128 && TABLE[after] === LETTER && (at === from || TABLE[text.charCodeAt(at - 1)] === LETTER))
      return true
  }
  return false
}

const LEET: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's' }

/** Two spaces, or more, are between words; one is between letters. */
function collapsed(text: string, from: number, to: number): string {
  return text
    .slice(from, Math.min(to, from + MOST))
    .replace(/\s{2,}/g, '\u0001')
    .replace(/\s/g, '')
    .replaceAll('\u0001', ' ')
}

const rot13 = (text: string): string =>
  text.replace(/[a-z]/gi, (char) => {
    const base = char <= 'Z' ? 65 : 97
    return String.fromCharCode(((char.charCodeAt(0) - base + 13) % 26) + base)
  })

/** Base64 or hexadecimal of a text that people can read; undefined: of something else. */
function decoded(code: string): string | undefined {
  const bytes = /^(?:[0-9a-fA-F]{2})+$/.test(code) ? Buffer.from(code, 'hex') : Buffer.from(code, 'base64')
  if (bytes.length < 12) return undefined
  const text = bytes.toString('utf8')
  let readable = 0
  for (let i = 0; i < text.length; i++) {
    const one = text.charCodeAt(i)
    if (one === 0xfffd) return undefined
    if ((one >= 97 && one <= 122) || (one >= 65 && one <= 90) || one === 32 || one > 0xbf) readable++
  }
  return readable >= text.length * 0.8 ? text : undefined
}
