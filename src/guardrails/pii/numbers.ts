/** Numbers in a text, as people write them: groups of digits with spaces, hyphens, points, slashes or brackets between. */
import { isCard } from './cards.ts'
import { isDay, isUniform } from './checks.ts'
import type { Entity, Tell } from './entities.ts'
import {
  isAuTfn,
  isBrCpf,
  isChAhv,
  isDeTaxId,
  isFrNir,
  isInAadhaar,
  isNlBsn,
  isPlPesel,
  isSePersonal,
  isUkNhs,
  isUsItin,
  isUsSsn,
} from './ids.ts'
import { isInternational, nationalForm, saysPhone } from './phone.ts'
import { PASSPORT_CUE } from './words.ts'

/** Groups that belong to one number at most, and digits. */
const MOST_GROUPS = 8
const MOST_DIGITS = 19

/** Digits of the shortest that is looked for. */
const FEWEST = 7
/** Characters before a number in which its name may stand. */
const REACH = 48

/** One number that may be something: groups `from`–`to` of a chain. */
interface Candidate {
  text: string
  start: number
  end: number
  digits: string
  /** Lengths of its groups: `3-2-4`. */
  shape: string
  /** What stands between them, without spaces; '' where there are but spaces. */
  joints: string
  /** Between all groups the same: a space, a hyphen, a point. Undefined: one group, or a mixture. */
  joint: string | undefined
  /** Whether a word before it can say what it is. */
  mayBeSaid: boolean
}

interface Id {
  what: Entity
  digits: number
  check(digits: string): boolean
  /** Shapes in which it is usually written, and the joint of each: `3-2-4 -`. */
  forms: ReadonlySet<string>
  cue: RegExp
  /** Without a form and without a word before it: how much its check alone says. */
  bare: number
}
const id = (what: Entity, digits: number, check: Id['check'], forms: string, cue: RegExp, bare = 0.3): Id => ({
  what,
  digits,
  check,
  forms: new Set(forms === '' ? [] : forms.split(',')),
  cue,
  bare,
})

const IDS: readonly Id[] = [
  id('US_SSN', 9, isUsSsn, '3-2-4-', /\bssn\b|social\b|sozialvers/, 0),
  id('US_ITIN', 9, isUsItin, '3-2-4-', /\bitin\b|taxpayer|\btin\b/, 0),
  id('NL_BSN', 9, isNlBsn, '', /\bbsn\b|burgerservice|sofi/, 0.2),
  id('AU_TFN', 9, isAuTfn, '', /\btfn\b|tax file/, 0.2),
  id('UK_NHS', 10, isUkNhs, '3-3-4 ', /\bnhs\b|national health/, 0.2),
  id('SE_PERSONAL_NUMBER', 10, isSePersonal, '6-4-', /personn(?:ummer|r)|samordning/, 0.2),
  id('DE_TAX_ID', 11, isDeTaxId, '2-3-3-3 ', /steuer|\bidnr|\btin\b|tax/, 0.3),
  id('PL_PESEL', 11, isPlPesel, '', /pesel/, 0.4),
  id('BR_CPF', 11, isBrCpf, '3-3-3-2', /\bcpf\b/, 0.5),
  id('IN_AADHAAR', 12, isInAadhaar, '4-4-4 ', /aadhaa?r|uidai|आधार/, 0.3),
  id('CH_AHV', 13, isChAhv, '3-4-4-2.', /\b(?:ahv|avs|oasi|navs)/, 0.6),
  id('FR_NIR', 15, isFrNir, '1-2-2-2-3-3-2 ', /sécurité sociale|securite sociale|\bnir\b|insee/, 0.6),
]
const BY_DIGITS: readonly (readonly Id[])[] = Array.from({ length: MOST_DIGITS + 1 }, (_, digits) =>
  IDS.filter((one) => one.digits === digits),
)

const BIRTH_CUE =
  /(?:\bbirth|\bborn\b|\bdob\b|\bd\.o\.b|geboren|geburts|\bgeb\.|\bnée?\b|naissance|nacid[oa]|nacimiento|nascimento|nat[oa] il|nascita|geboorte|urodz|生年月日|出生|生日|рожд)[^\n]{0,24}$/

/** Reads the numbers of a text, each group of digits once. Made anew for each text. */
export class Numbers {
  readonly #text: string
  readonly #tell: Tell
  /** Starts and ends of the groups of one chain. */
  readonly #at: number[] = []
  readonly #plausible: number[] = []
  /** What stands before the chain, in small letters; undefined: nobody has asked. */
  #before: string | undefined
  #phoneSaid: boolean | undefined
  /** Whether there is a letter before the chain: rows of numbers have no names. */
  #named: boolean | undefined

  constructor(text: string, tell: Tell) {
    this.#text = text
    this.#tell = tell
  }

  /**
   * @param start of a group of digits that no letter touches
   * @returns where to go on
   */
  chain(start: number, end: number): number {
    const first = this.#next(end)
    if (first < 0 && end - start < FEWEST) return end
    const at = this.#at
    at.length = 0
    at.push(start, end)
    this.#before = undefined
    this.#phoneSaid = undefined
    this.#named = undefined
    let last = end
    // Longer chains are taken in parts that overlap by the longest number.
    while (at.length < 2 * 8 * MOST_GROUPS) {
      const next = this.#next(last)
      if (next < 0) break
      last = this.#digitsEnd(next)
      at.push(next, last)
    }
    const groups = at.length / 2
    const whole = groups < 8 * MOST_GROUPS
    const limit = whole ? groups : groups - MOST_GROUPS
    for (let from = 0; from < limit; ) from = this.#from(from, groups)
    return whole ? last : (at[2 * limit] as number)
  }

  /** Where the next group of the chain begins: -1: it ends here. */
  #next(at: number): number {
    const text = this.#text
    for (let i = at; i < at + 4; i++) {
      const code = text.charCodeAt(i)
      if (code >= 48 && code <= 57) return i > at && !isLetter(text.charCodeAt(this.#digitsEnd(i))) ? i : -1
      if (!isJoint(code)) return -1
    }
    return -1
  }

  #digitsEnd(at: number): number {
    const text = this.#text
    let end = at
    for (let code = text.charCodeAt(end); code >= 48 && code <= 57; code = text.charCodeAt(end)) end++
    return end
  }

  /** Looks at the numbers that begin with this group, the longest first. @returns the group to go on with */
  #from(from: number, groups: number): number {
    const at = this.#at
    const start = at[2 * from] as number
    const before = start === 0 ? 0 : this.#text.charCodeAt(start - 1)
    // `_1` and `#1` are parts of other words.
    if (before === 95 || before === 35) return from + 1
    // A word that says what a number is stands before the chain: letters end one.
    const mayBeSaid = from === 0
    const isMarked = before === 43 || before === 40 || this.#text.charCodeAt(start) === 48
    const begins = mayBeSaid || isMarked
    // No card and no account begins with 1: years in a row do.
    const isYears = this.#text.charCodeAt(start) === 49
    let digits = 0
    let key = 0
    let last = from
    const plausible = this.#plausible
    plausible.length = 0
    for (; last < groups && last < from + MOST_GROUPS; last++) {
      const size = (at[2 * last + 1] as number) - (at[2 * last] as number)
      digits += size
      if (digits > MOST_DIGITS) break
      key = key * 32 + size
      if (digits < 4) continue
      const count = last - from + 1
      const worth =
        (count === 1 && digits >= 7) ||
        (begins && digits >= 6 && (isMarked || this.#isNamed())) ||
        (count === 4 && size <= 3 && digits <= 12 && this.#text.charCodeAt(at[2 * from + 1] as number) === POINT) ||
        (SHAPES.has(key) && (begins || !isYears || !FOURS.has(key)))
      if (worth) plausible.push(last)
    }
    for (let i = plausible.length - 1; i >= 0; i--) {
      const to = plausible[i] as number
      if (this.#judge(from, to, mayBeSaid)) return to + 1
    }
    return from + 1
  }

  #judge(from: number, to: number, mayBeSaid: boolean): boolean {
    const at = this.#at
    const text = this.#text
    const start = at[2 * from] as number
    const end = at[2 * to + 1] as number
    if (end - start < FEWEST) return false
    let [digits, shape, joints] = ['', '', '']
    let joint: string | undefined
    for (let i = from; i <= to; i++) {
      const group = text.slice(at[2 * i], at[2 * i + 1])
      digits += group
      shape += i > from ? `-${group.length}` : group.length
      if (i === from) continue
      const left = at[2 * i - 1] as number
      const right = at[2 * i] as number
      const isSpace = right - left === 1 && text.charCodeAt(left) === 32
      const between = isSpace ? ' ' : text.slice(left, right)
      joint = i === from + 1 || joint === between ? between : undefined
      if (!isSpace) joints += between.trim()
    }
    const candidate = { text, start, end, digits, shape, joints, joint, mayBeSaid }
    return (
      this.#card(candidate) ||
      this.#address(candidate) ||
      this.#identity(candidate) ||
      this.#phone(candidate) ||
      this.#birth(candidate)
    )
  }

  #card({ digits, joint, shape, start, end }: Candidate): boolean {
    if (digits.length < 13) return false
    const formed = CARD_SHAPES.test(shape) && (joint === ' ' || joint === '-')
    if (!formed && shape !== String(digits.length)) return false
    // 3.14159…: behind a point there is a fraction.
    if (!formed && this.#isFraction(start)) return false
    if (!isCard(digits)) return false
    this.#tell('CREDIT_CARD', start, end, formed ? 0.95 : 0.8)
    return true
  }

  /** IPv4. */
  #address({ text, digits, joints, shape, start, end }: Candidate): boolean {
    if (joints !== '...' || digits.length > 12 || /[^1-3-]/.test(shape)) return false
    const address = text.slice(start, end)
    if (!isIpv4(address) || text.charCodeAt(start - 1) === 46) return false
    if (text.charCodeAt(end) === 46 && isDigitAt(text, end + 1)) return false
    const isVersion = /(?:version|release|\bv)\W{0,3}$/i.test(text.slice(Math.max(0, start - 12), start))
    this.#tell('IP_ADDRESS', start, end, isVersion ? 0.3 : 0.85)
    return true
  }

  #phone(candidate: Candidate): boolean {
    const { text, start, end, digits, shape, joints, mayBeSaid } = candidate
    const { length } = digits
    if (length < 7 || length > 17) return false
    const plus = text.charCodeAt(start - 1) === 43
    const bracketed = joints.includes(')') && (text.charCodeAt(start - 1) === 40 || joints.includes('('))
    const begin = bracketed && text.charCodeAt(start - 1) === 40 ? start - 1 : start
    if (plus) {
      // +44 (0)20 …: the zero is not dialled.
      const dialled = digits.length > 11 ? digits.replace(/^(\d\d)0/, '$1') : digits
      if (!isInternational(digits) && !isInternational(dialled)) return false
      this.#tell('PHONE_NUMBER', start - 1, end, 0.9)
      return true
    }
    if (isUniform(digits) || this.#isFraction(start)) return false
    // Groups of four behind a word are an account's or a card's.
    if (
      digits.startsWith('00') &&
      shape !== String(length) &&
      !shape.startsWith('4-4-') &&
      isInternational(digits.slice(2))
    ) {
      this.#tell('PHONE_NUMBER', start, end, 0.7)
      return true
    }
    let sure = nationalForm(
      digits,
      shape,
      joints === '' && shape.includes('-') && digits[0] === '0' ? ' ' : joints,
      bracketed,
    )
    if (sure < 0.65 && mayBeSaid && length <= 13 && !goesOn(candidate)) {
      this.#phoneSaid ??= saysPhone(this.#words())
      if (this.#phoneSaid) sure = 0.75
    }
    if (sure < 0.5) return false
    // 2023-11-05, 10.4.300.2, 1/2/2024
    if (/^\d{4}-\d\d?-\d\d?$|^\d\d?[-./]\d\d?[-./]\d{2,4}$|\.\..*\./.test(text.slice(start, end))) return false
    const before = text.charCodeAt(begin - 1)
    if (before === 45 || before === 46 || before === 47 || isMoney(before)) return false
    this.#tell('PHONE_NUMBER', begin, end, sure)
    return true
  }

  #identity(candidate: Candidate): boolean {
    const { text, start, end, digits, shape, joint, mayBeSaid } = candidate
    if (
      shape === String(digits.length) &&
      mayBeSaid &&
      digits.length >= 7 &&
      digits.length <= 9 &&
      this.#said(PASSPORT_CUE)
    ) {
      this.#tell('PASSPORT', start, end, 0.75)
      return true
    }
    for (const { what, check, forms, cue, bare } of BY_DIGITS[digits.length] ?? []) {
      const isBare = shape === String(digits.length)
      const formed =
        forms.has(`${shape}${joint ?? ''}`) ||
        (what === 'BR_CPF' && /^\d{3}\.\d{3}\.\d{3}-\d\d$/.test(text.slice(start, end)))
      if (!formed && !isBare && !(mayBeSaid && joint !== undefined)) continue
      if (!check(digits) || goesOn(candidate)) continue
      const isPart = text.charCodeAt(start - 1) === 45 || text.charCodeAt(end) === 45
      const said = mayBeSaid && this.#said(cue)
      // Few checks say much of a number that might as well be an order's.
      const sure = said ? 0.9 : isPart ? 0.2 : formed ? (FORMED[what] ?? 0.6) : bare
      if (sure < 0.2) continue
      this.#tell(what, start, end, sure)
      if (sure >= 0.5) return true
    }
    return false
  }

  /** A date with a word of birth before it; whether it is there is looked at only where a year is. */
  #birth({ text, start, end, digits, shape, joints, mayBeSaid }: Candidate): boolean {
    if (!mayBeSaid || digits.length < 6 || digits.length > 8 || joints.length !== 2 || shape.length !== 5) return false
    if (!this.#isNamed()) return false
    const groups = text.slice(start, end).split(/\D+/).map(Number)
    const [a = 0, b = 0, c = 0] = groups
    const [year, one, two] = shape.startsWith('4-') ? [a, b, c] : [c < 100 ? 1900 + c : c, a, b]
    if (year < 1900 || year > 2100 || !(isDay(year, one, two) || isDay(year, two, one))) return false
    if (!this.#said(BIRTH_CUE)) return false
    this.#tell('DATE_OF_BIRTH', start, end, 0.85)
    return true
  }

  /** Whether a word that stands before the chain says what is in it. */
  #said(words: RegExp): boolean {
    return words.test(this.#words())
  }

  #isNamed(): boolean {
    if (this.#named !== undefined) return this.#named
    const start = this.#at[0] as number
    const least = Math.max(0, start - REACH)
    let at = start - 1
    while (at >= least && !isWordy(this.#text.charCodeAt(at))) at--
    this.#named = at >= least
    return this.#named
  }

  #words(): string {
    const start = this.#at[0] as number
    this.#before ??= this.#text.slice(Math.max(0, start - REACH), start).toLowerCase()
    return this.#before
  }

  #isFraction = (start: number): boolean => this.#text.charCodeAt(start - 1) === 46 && isDigitAt(this.#text, start - 2)
}

/** Whether it is a part of a longer number: the same sign and more digits follow, or stand before. */
function goesOn({ text, start, end, joint }: Candidate): boolean {
  if (joint === undefined) return false
  const size = joint.length
  return (
    (text.startsWith(joint, end) && isDigitAt(text, end + size)) ||
    (text.startsWith(joint, start - size) && isDigitAt(text, start - size - 1))
  )
}

/** How sure a number in its usual form is without a word before it, by how unusual the form is and how strong the check. */
const FORMED: Readonly<Partial<Record<Entity, number>>> = {
  US_SSN: 0.8,
  US_ITIN: 0.7,
  BR_CPF: 0.95,
  CH_AHV: 0.95,
  FR_NIR: 0.95,
  DE_TAX_ID: 0.7,
  IN_AADHAAR: 0.6,
  UK_NHS: 0.45,
  SE_PERSONAL_NUMBER: 0.7,
}
const CARD_SHAPES = /^(?:4-4-4-(?:[1-4]|4-[1-3])|4-6-[45]|4-[45]-[45]|6-[7-9]|6-1[0-3])$/
/** Shapes that say something without a word before them: phones, cards, ids. Lengths of their groups, to the base of 32. */
const keyOf = (shape: string): number => shape.split('-').reduce((key, size) => key * 32 + Number(size), 0)
const FOURS = new Set(['', '-1', '-2', '-3', '-4', '-4-1', '-4-2', '-4-3'].map((rest) => keyOf(`4-4-4${rest}`)))
const SHAPES = new Set([
  ...'3-3-4,1-3-3-4,1-3-3-2-2,2-5-4,2-4-4,4-6-5,4-6-4,4-4-5,4-5-4,6-7,6-8,6-9,6-10,6-11,6-12,6-13'
    .split(',')
    .map(keyOf),
  ...FOURS,
  ...IDS.flatMap(({ forms }) => [...forms].map((form) => keyOf(form.replace(/[^\d]$/, '')))),
])
const isJoint = (code: number): boolean =>
  code === 32 || (code >= 45 && code <= 47) || code === 40 || code === 41 || (code > 127 && MORE_JOINTS.has(code))
/** Hyphens that do not break, dashes, spaces that do not break. */
const MORE_JOINTS = new Set([0x2011, 0x2013, 0xa0, 0x202f])
const POINT = 46
/** Of a name, in any script. */
const isWordy = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code > 127
const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
const isDigitAt = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}
const isMoney = (code: number): boolean => code === 36 || code === 0x20ac || code === 0xa3 || code === 0xa5

/** @param text four numbers with points between */
export function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
}
