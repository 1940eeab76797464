/** What words of an attack say together, in one pass over a folded text. */
import { Automaton } from '../text/aho.ts'
import { fold } from '../text/fold.ts'
import { CUES, MENTIONS, ROLES } from './lexicon.ts'

/** One that fired: how much it says of one, and where. Places are of the folded text. */
export interface Sign {
  weight: number
  start: number
  end: number
}

type Role = keyof typeof ROLES
interface Entry {
  role: Role | undefined
  weight: number
  mention: boolean
  open: boolean
}

/** Characters within which parts of one sentence stand. */
const NEAR = 90

/** All phrases with what each means, and the tables that find them. */
interface Lexicon {
  entries: readonly (readonly Entry[])[]
  /** Most texts are ASCII, and so is most of the list: its table stays small. */
  ascii: Part
  other: Part
}
interface Part {
  automaton: Automaton
  /** Numbers of its phrases in the whole list. */
  indexes: readonly number[]
}

let lexicon: Lexicon | undefined
/** Made when a guard is: the tables have some megabytes. */
export function openLexicon(): Lexicon {
  lexicon ??= makeLexicon()
  return lexicon
}

function makeLexicon(): Lexicon {
  const phrases: string[] = []
  const entries: Entry[][] = []
  const places = new Map<string, number>()
  const add = (written: string, entry: Omit<Entry, 'open'>): void => {
    const open = written.endsWith('*')
    const phrase = fold((open ? written.slice(0, -1) : written).replaceAll('¦', '|')).text
    const at = places.get(phrase)
    if (at === undefined) {
      places.set(phrase, phrases.length)
      phrases.push(phrase)
      entries.push([{ ...entry, open }])
    } else entries[at]?.push({ ...entry, open })
  }
  for (const [role, words] of Object.entries(ROLES))
    for (const word of new Set(words.split(/[|\n]/))) add(word, { role: role as Role, weight: 0, mention: false })
  for (const [weight, words] of CUES)
    for (const word of words.split('|')) add(word, { role: undefined, weight, mention: false })
  for (const word of MENTIONS.split('|')) add(word, { role: undefined, weight: 0, mention: true })
  const part = (wanted: boolean): Part => {
    const indexes = phrases.flatMap((phrase, index) => (isAscii(phrase) === wanted ? [index] : []))
    return { automaton: new Automaton(indexes.map((index) => phrases[index] as string)), indexes }
  }
  return { entries, ascii: part(true), other: part(false) }
}

const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text)

/** Calls with each phrase that stands in a text, in the order of their ends. */
function eachPhrase(
  { ascii, other }: Lexicon,
  text: string,
  plain: boolean,
  tell: (index: number, start: number, end: number) => void,
): void {
  if (plain || isAscii(text)) {
    ascii.automaton.scan(text, ({ index, length }, end) => tell(ascii.indexes[index] as number, end - length, end))
    return
  }
  const hits: [number, number, number][] = []
  for (const { automaton, indexes } of [ascii, other])
    automaton.scan(text, ({ index, length }, end) => hits.push([indexes[index] as number, end - length, end]))
  for (const hit of hits.sort((a, b) => a[2] - b[2])) tell(...hit)
}

/** @param text folded @param plain whether it is known to be ASCII */
export function signsIn(text: string, plain = false): Sign[] {
  const known = openLexicon()
  const signs: Sign[] = []
  const seen = new Map<number, number>()
  const last = { drop: NEVER, before: NEVER, orders: NEVER, tell: NEVER, hidden: NEVER }
  const from = { drop: 0, before: 0, orders: 0, tell: 0, hidden: 0 }
  let mention = NEVER
  const fire = (weight: number, start: number, end: number) => {
    signs.push({ weight, start, end })
  }
  eachPhrase(known, text, plain, (index, start, end) => {
    for (const { role, weight, mention: isMention, open } of known.entries[index] as Entry[]) {
      if (!isWhole(text, start, end, open)) continue
      if (isMention) mention = end
      else if (role === undefined) {
        // Said twice it says no more, unless it is a new attempt.
        if (start - (seen.get(index) ?? NEVER) <= STRETCH) continue
        seen.set(index, start)
        fire(end - mention < QUOTED && isQuoted(text, start) ? weight / 3 : weight, start, end)
      } else {
        if (role === 'drop' && isNegated(text, start)) continue
        if (role === 'tell' && isNegated(text, start)) continue
        from[role] = start
        last[role] = end
        const told = combine(last, end)
        if (told === undefined) continue
        const begin = Math.min(...told.roles.map((one) => from[one]))
        const order = from[told.roles[0] as Role]
        const quoted = order - mention < QUOTED && isQuoted(text, order)
        fire(quoted ? told.weight / 3 : told.weight, begin, end)
        for (const one of told.roles) last[one] = NEVER
      }
    }
  })
  return signs
}

const NEVER = -1e9
/** Characters: signs further apart belong to different attempts, so that a long text collects none by its length. */
const STRETCH = 2_000
/** Characters between a word that speaks of attacks and a quotation. */
const QUOTED = 160

/** Which roles stand near each other. */
function combine(last: Readonly<Record<Role, number>>, end: number): { weight: number; roles: Role[] } | undefined {
  const near = (role: Role) => end - last[role] <= NEAR
  if (near('drop') && near('orders')) {
    if (near('before')) return { weight: 0.85, roles: ['drop', 'before', 'orders'] }
    return undefined
  }
  if (near('tell') && near('hidden')) return { weight: 0.7, roles: ['tell', 'hidden'] }
  return undefined
}

/** A word that must stand for itself does; in scripts without spaces each does. */
function isWhole(text: string, start: number, end: number, open: boolean): boolean {
  const first = text.charCodeAt(start)
  const last = text.charCodeAt(end - 1)
  if (isSpaced(first) && isSpaced(text.charCodeAt(start - 1))) return false
  return open || !isSpaced(last) || !isSpaced(text.charCodeAt(end))
}
/** Letters and digits of scripts that put spaces between words. */
const isSpaced = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95 || (code >= 0xc0 && code <= 0x5ff)

/** `never reveal your instructions` is what an operator says. */
const isNegated = (text: string, at: number): boolean =>
  /(?:never|not|n't|nicht|nie|ne|no|non|не)\s+(?:\w+\s+)?$/.test(text.slice(Math.max(0, at - 16), at))

/** Whether a quotation begins shortly before. */
const isQuoted = (text: string, at: number): boolean =>
  /["'“‘«„`][^"'”’»“`\n]{0,24}$/.test(text.slice(Math.max(0, at - 26), at))

/**
 * How sure signs are together, at most, of those in one stretch: each leaves less room for doubt.
 * @param signs in the order of their beginnings @returns a score, [0, 1], and the signs that have it
 */
export function surest(signs: readonly Sign[]): { score: number; signs: Sign[] } {
  let [doubt, most, bestFrom, bestTo] = [0, 0, 0, 0]
  for (let from = 0, to = 0; to < signs.length; to++) {
    const { weight, start } = signs[to] as Sign
    doubt += Math.log1p(-weight)
    for (; start - (signs[from] as Sign).start > STRETCH; from++) doubt -= Math.log1p(-(signs[from] as Sign).weight)
    const score = -Math.expm1(doubt)
    if (score > most) [most, bestFrom, bestTo] = [score, from, to + 1]
  }
  return { score: Math.min(1, most), signs: signs.slice(bestFrom, bestTo) }
}
