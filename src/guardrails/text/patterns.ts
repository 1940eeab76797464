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

  /** @throws Error with a sentence where it is none, or takes what can't be had in linear time */
  constructor(source: string) {
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
    let count = 0
    for (let from = 0; from < text.length; ) {
      const until = Math.min(text.length, from + SEGMENT)
      const isLast = until === text.length
      // What stands before belongs to it, so that \b and ^ are right.
      const base = Math.max(0, from - 1)
      const stretch = text.slice(base, until)
      let next = isLast ? until : until - MOST
      // Most stretches have nothing: an automaton says so in a fraction of the time.
      if (!this.#compiled.test(stretch)) {
        from = next
        continue
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
          const isOneTooMany = ++count > MOST_MATCHES
          tell(start, isOneTooMany ? text.length : end)
          if (isOneTooMany) return
        }
        if (end > next) next = end
        if (at + base >= until) break
      }
      from = Math.max(next, from + 1)
    }
  }
}
