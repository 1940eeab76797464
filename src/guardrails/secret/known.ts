/** Keys whose makers have given them a mark: the formats of src/secrets, and those that only a guard looks for. */
import { FORMATS, type Format, isDrawn } from '../../secrets/formats.ts'
import { isVaried } from './entropy.ts'

/** What a text may hold that a scan of files leaves alone: tests' keys, and tokens that end by themselves. */
const MORE: readonly Format[] = [
  {
    kind: 'Stripe',
    what: 'STRIPE_KEY',
    shown: 8,
    starts: ['sk_test_', 'rk_test_'],
    source: '[rs]k_test_[A-Za-z0-9]{20,200}',
  },
  {
    kind: 'JWT',
    what: 'JWT',
    shown: 3,
    starts: ['eyJ'],
    // RFC 7519, in RFC 7515's compact form: two objects and a signature.
    source: 'eyJ[\\w-]{8,1000}\\.eyJ[\\w-]{8,2000}\\.[\\w-]{16,700}',
  },
]

interface Sticky {
  format: Format
  start: string
  form: RegExp
}

const sticky = ({ source }: Format): RegExp => new RegExp(`${source}(?![A-Za-z0-9_])`, 'y')
const BEGUN: readonly Sticky[] = [...MORE, ...FORMATS].flatMap((format) =>
  format.kind === 'private key' ? [] : (format.starts ?? []).map((start) => ({ format, start, form: sticky(format) })),
)

/** By its first two characters. */
const PAIRS = new Map<number, readonly Sticky[]>()
for (const one of BEGUN) {
  const pair = pairOf(one.start, 0)
  PAIRS.set(pair, [...(PAIRS.get(pair) ?? []), one])
}
/** 1: a key may begin with these two. */
const BEGINS = new Uint8Array(1 << 14)
for (const pair of PAIRS.keys()) BEGINS[pair] = 1

function pairOf(text: string, at: number): number {
  return (text.charCodeAt(at) << 7) | text.charCodeAt(at + 1)
}

/** @param at where a word begins @returns what begins there and its end */
export function knownAt(text: string, at: number): { what: string; end: number } | undefined {
  const next = text.charCodeAt(at + 1)
  const pair = (text.charCodeAt(at) << 7) | next
  if (!(next < 128) || BEGINS[pair] === 0) return undefined
  for (const { format, start, form } of PAIRS.get(pair) ?? []) {
    if (!text.startsWith(start, at)) continue
    form.lastIndex = at
    if (!form.test(text)) continue
    const end = form.lastIndex
    if (format.kind === 'sk-' && !isKey(text.slice(at, end))) continue
    return { what: format.what, end }
  }
  return undefined
}

/** `sk-learn-contrib` is no key. */
const isKey = (secret: string): boolean => isDrawn(secret) || (secret.length >= 20 && isVaried(secret.slice(3), 3))

const HOLDING: readonly { text: string; behind: number; what: string; form: RegExp }[] = FORMATS.flatMap((format) =>
  format.holds ? [{ ...format.holds, what: format.what, form: sticky(format) }] : [],
)

/** Keys with a mark in their middle. */
export function holding(text: string, tell: (what: string, start: number, end: number) => void): void {
  for (const { text: mark, behind, what, form } of HOLDING)
    for (let at = text.indexOf(mark), from = 0; at >= 0; at = text.indexOf(mark, at + 1)) {
      // The mark is at most so far behind the beginning; the first place where the form fits.
      for (let start = Math.max(from, at - behind); start < at; start++) {
        if (start > 0 && isWord(text.charCodeAt(start - 1))) continue
        form.lastIndex = start
        if (!form.test(text)) continue
        from = form.lastIndex
        tell(what, start, from)
        break
      }
    }
}

const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95

const BEGIN = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/y
const END = /-----END [A-Z ]{0,40}-----/y
const BODY = /[\w+/=\s\\:,.-]*/y
/**
 * A private key with all of its block, however long; where its end is missing, to the end of what looks like one. Of a text
 * that goes on it reaches to the end, so that who looks at parts knows that there is more.
 */
export function privateKeys(text: string, tell: (what: string, start: number, end: number) => void): void {
  for (let at = text.indexOf('-----BEGIN '); at >= 0; at = text.indexOf('-----BEGIN ', at)) {
    BEGIN.lastIndex = at
    if (!BEGIN.test(text)) {
      at += 11
      continue
    }
    const end = blockEnd(text, BEGIN.lastIndex)
    tell('PRIVATE_KEY', at, end)
    at = end
  }
}

/** Looks no further than the next mark of five hyphens, or than its own end: each character is read twice at most. */
function blockEnd(text: string, from: number): number {
  const mark = text.indexOf('-----', from)
  END.lastIndex = mark
  if (mark >= 0 && END.test(text)) return END.lastIndex
  BODY.lastIndex = from
  BODY.test(text)
  return Math.max(from, BODY.lastIndex)
}
