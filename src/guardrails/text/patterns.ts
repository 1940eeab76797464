/**
 * Regular expressions that somebody has written, in time linear in the text whatever they are: RE2's way, without a way back.
 * A match is at most MOST characters long, so that a stream finds the same as the whole, and so that a pattern which looks to
 * the text's end from each of its matches (`a.*b|a`) can't make it quadratic.
 */
import { RE2JS } from 're2js'

/** Characters that a match has at most. */
export const MOST = 1_024
const SEGMENT = 8 * MOST
/** Matches in one text that are told one by one: behind them all the rest is taken for one. */
const MOST_MATCHES = 1_000

export class Pattern {
  readonly #compiled: RE2JS
  readonly source: string

  /** @throws Error with a sentence where it is none, or takes what can't be had in linear time */
  constructor(source: string) {
    this.source = source
    try {
      this.#compiled = RE2JS.compile(source)
    } catch (cause) {
      const told = (cause as Error).message
      const why = /\(\?[=!<]|\\[1-9]/.test(source)
        ? 'it looks around or back, which takes more than linear time; patterns are RE2’s'
        : told
      throw new Error(`the pattern \`${source}\` can't be used: ${why}.`)
    }
    if (this.#compiled.matches(''))
      throw new Error(`the pattern \`${source}\` fits everything: it fits the empty text.`)
  }

  find(text: string, tell: (start: number, end: number) => void): void {
    const seen = { from: 0, count: 0 }
    while (seen.from < text.length) this.step(text, seen, tell)
  }

  /** Looks through the next stretch, and says where to go on. */
  step(text: string, seen: Seen, tell: (start: number, end: number) => void): void {
    const { from } = seen
    const until = Math.min(text.length, from + SEGMENT)
    const isLast = until === text.length
    // What stands before belongs to it, so that \b and ^ are right.
    const base = Math.max(0, from - 1)
    const stretch = text.slice(base, until)
    let next = isLast ? until : until - MOST
    // Most stretches have nothing: an automaton says so in a fraction of the time.
    if (!this.#compiled.test(stretch)) {
      seen.from = next
      return
    }
    const matcher = this.#compiled.matcher(stretch)
    for (let at = from - base; matcher.find(at); ) {
      const [start, end] = [matcher.start() + base, matcher.end() + base]
      // What touches the cut may go on behind it; the next stretch begins before it.
      if (!isLast && end === until && start > from) {
        next = Math.min(next, Math.max(start, until - MOST))
        break
      }
      if (!isLast && start >= next) break
      at = (end > start ? end : end + 1) - base
      if (end === start) continue
      if (end - start <= MOST) {
        const isOneTooMany = ++seen.count > MOST_MATCHES
        tell(start, isOneTooMany ? text.length : end)
        if (isOneTooMany) {
          seen.from = text.length
          return
        }
      }
      if (end > next) next = end
      if (at + base >= until) break
    }
    seen.from = Math.max(next, from + 1)
  }
}

/** How far a text has been looked through, and how often the pattern was found. */
interface Seen {
  from: number
  count: number
}

/** Several in one pass: where none of them stands, which is the usual case, they cost together what one does. */
export class Patterns {
  readonly #all: readonly Pattern[]
  /** Any of them; undefined: they can't be one (names of groups that two have, or too much for one automaton). */
  readonly #any: RE2JS | undefined

  constructor(all: readonly Pattern[]) {
    this.#all = all
    if (all.length > 1)
      try {
        this.#any = RE2JS.compile(all.map(({ source }) => `(?:${source})`).join('|'))
      } catch {
        this.#any = undefined
      }
  }

  find(text: string, tell: (pattern: number, start: number, end: number) => void): void {
    const seen = this.#all.map((): Seen => ({ from: 0, count: 0 }))
    for (let from = 0; from < text.length; ) {
      const until = Math.min(text.length, from + SEGMENT)
      const next = until === text.length ? until : until - MOST
      if (!this.#any || this.#any.test(text.slice(Math.max(0, from - 1), until)))
        for (const [i, pattern] of this.#all.entries()) {
          const mine = seen[i] as Seen
          mine.from = Math.max(mine.from, from)
          while (mine.from < next) pattern.step(text, mine, (start, end) => tell(i, start, end))
        }
      from = next
    }
  }
}
