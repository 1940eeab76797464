/** Characters that nobody sees and a model reads: a way to smuggle words in, or data out. Redacted, they are gone. */
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { EVERYTHING, lookThrough } from '../look.ts'

const KINDS = ['ZERO_WIDTH', 'BIDI_CONTROL', 'TAG_CHARACTERS', 'VARIATION_SELECTORS'] as const
type Kind = (typeof KINDS)[number]

const settings = z.strictObject({
  find: z
    .array(z.enum(KINDS))
    .min(1)
    .default([...KINDS])
    .describe('Which count. Default: all.'),
  least: z.number().int().min(1).max(1_000).default(1).describe('How many there must be in a row. Default: 1.'),
})

const ASCII = /^[\x00-\x7f]*$/
/** Nobody needs a longer run: what goes on is told anew. */
const WINDOW = 256

export const invisible = defineKind({
  kind: 'invisible',
  settings,
  make(said) {
    const wanted = new Set<Kind>(said.find)
    return {
      kind: 'invisible',
      local: true,
      needsWhole: false,
      window: WINDOW,
      kinds: EVERYTHING,
      version: versionOf('invisible', 1, said),
      look: (subject) =>
        lookThrough(subject, (text, tell) => {
          if (ASCII.test(text)) return
          for (let at = 0; at < text.length; ) {
            const { kind, end, count } = run(text, at)
            if (kind && wanted.has(kind) && count >= said.least)
              tell({ start: at, end, what: kind, confidence: 1, replacement: '' })
            at = end
          }
        }),
    }
  },
})

/** What stands here of one kind, up to WINDOW characters. */
function run(text: string, from: number): { kind: Kind | undefined; end: number; count: number } {
  let kind: Kind | undefined
  let at = from
  let count = 0
  while (at < text.length && at - from < WINDOW) {
    const code = text.charCodeAt(at)
    const point = code >= 0xd800 && code <= 0xdbff ? (text.codePointAt(at) as number) : code
    const size = point > 0xffff ? 2 : 1
    const one = point < 0xad ? undefined : kindOf(text, at, point, size)
    if (count === 0) kind = one
    if (one === undefined || one !== kind) return { kind, end: count === 0 ? from + size : at, count }
    count++
    at += size
  }
  return { kind, end: at, count }
}

function kindOf(text: string, at: number, point: number, size: number): Kind | undefined {
  if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) return 'BIDI_CONTROL'
  if (point >= 0xe0000 && point <= 0xe007f) return isFlag(text, at) ? undefined : 'TAG_CHARACTERS'
  if ((point >= 0xfe00 && point <= 0xfe0f) || (point >= 0xe0100 && point <= 0xe01ef))
    return isSelecting(text, at, size) ? undefined : 'VARIATION_SELECTORS'
  if (point === 0x200c || point === 0x200d) return isJoining(text, at) ? undefined : 'ZERO_WIDTH'
  // A mark of the order of bytes at the beginning is one.
  if (point === 0xfeff) return at === 0 ? undefined : 'ZERO_WIDTH'
  if (
    point === 0x200b ||
    (point >= 0x2060 && point <= 0x2064) ||
    point === 0x180e ||
    point === 0x3164 ||
    point === 0xffa0 ||
    point === 0x115f ||
    point === 0x1160
  )
    return 'ZERO_WIDTH'
  return undefined
}

const EMOJI = /\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u
/** Scripts in which a joiner changes what is seen. */
const JOINED =
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Mongolian}\p{Script=Syriac}\p{Script=Khmer}\p{Script=Myanmar}]/u

function before(text: string, at: number): string {
  const low = text.charCodeAt(at - 1)
  return low >= 0xdc00 && low <= 0xdfff ? text.slice(at - 2, at) : text.slice(at - 1, at)
}
const behind = (text: string, at: number): string =>
  at < text.length ? String.fromCodePoint(text.codePointAt(at) as number) : ''

/** 👩‍👧, or a letter of a script that joins. */
function isJoining(text: string, at: number): boolean {
  const [left, right] = [before(text, at), behind(text, at + 1)]
  return (EMOJI.test(left) && EMOJI.test(right)) || JOINED.test(left)
}

/** One behind a picture, a digit of a keycap, or a letter of Han. */
const isSelecting = (text: string, at: number, size: number): boolean =>
  /[\p{Emoji}\p{Extended_Pictographic}\p{Script=Han}\p{Math}\p{So}\p{Sm}\p{Po}\p{Script=Mongolian}\p{Script=Myanmar}]/u.test(
    before(text, at),
  ) && !/[\ufe00-\ufe0f]|\udb40[\udd00-\uddef]/.test(text.slice(at + size, at + size + 2))

/** 🏴󠁧󠁢󠁥󠁮󠁧󠁿: a black flag, five or six tags, and their end. */
function isFlag(text: string, at: number): boolean {
  for (let from = at; from >= Math.max(0, at - 16); from -= 2)
    if (text.startsWith('\u{1f3f4}', from))
      return /^\u{1f3f4}[\u{e0061}-\u{e007a}\u{e0030}-\u{e0039}]{4,6}\u{e007f}/u.test(text.slice(from, from + 18))
  return false
}
