/** What was taken out of one request, and comes back in its answer: placeholder for value, one for each value. Never kept. */
import { textsIn, withText } from './json-texts.ts'

export class Vault {
  readonly #placeholders = new Map<string, string>()
  readonly #values = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  /** Characters of the longest placeholder. */
  #longest = 0

  get isEmpty(): boolean {
    return this.#values.size === 0
  }

  /** @param taken all that was said: a placeholder that somebody wrote himself is not given to anybody @returns what goes out */
  hide(value: string, what: string, taken: (placeholder: string) => boolean): string {
    const known = this.#placeholders.get(value)
    if (known !== undefined) return known
    let n = this.#counts.get(what) ?? 0
    let placeholder: string
    do placeholder = `<${what}_${++n}>`
    while (taken(placeholder))
    this.#counts.set(what, n)
    this.#placeholders.set(value, placeholder)
    this.#values.set(placeholder, value)
    this.#longest = Math.max(this.#longest, placeholder.length)
    return placeholder
  }

  /** A text of an answer, with its values. */
  show(text: string): string {
    if (this.isEmpty || !text.includes('<')) return text
    return text.replace(PLACEHOLDER, (found) => this.#values.get(asGiven(found)) ?? found)
  }

  /** The same in JSON, whose texts stay JSON's. */
  showInJson(json: string): string {
    if (this.isEmpty) return json
    const texts = textsIn(json)
    if (!texts) return this.show(json)
    let shown = json
    for (const place of texts.toReversed()) {
      const text = this.show(place.text)
      if (text !== place.text) shown = withText(shown, place, text)
    }
    return shown
  }

  /** What was answered, as the model knows it: for whoever goes on with it. */
  hideAgain(text: string): string {
    let hidden = text
    const longestFirst = [...this.#placeholders].toSorted(([a], [b]) => b.length - a.length)
    for (const [value, placeholder] of longestFirst) hidden = hidden.replaceAll(value, () => placeholder)
    return hidden
  }

  /** From where on a text may go on to be a placeholder: so much of it is not sent yet. */
  openFrom(text: string): number {
    if (this.isEmpty) return text.length
    const at = text.lastIndexOf('<')
    if (at < 0 || text.length - at >= this.#longest + SLACK || !BEGINS.test(text.slice(at))) return text.length
    return at
  }
}

/** What in a text would be taken for one of ours, as ours are written. */
export const placeholdersIn = (text: string): string[] =>
  text.includes('<') ? (text.match(PLACEHOLDER) ?? []).map(asGiven) : []

/** Models write them in other cases, with blanks, and with a backslash before `_`, as Markdown has it. */
const PLACEHOLDER = /<[ \t]{0,2}[A-Za-z](?:[A-Za-z0-9]|\\?_){0,80}\\?_\d{1,9}[ \t]{0,2}>/g
const BEGINS = /^<[A-Za-z0-9_\\ \t]*$/
/** Characters that may be added so. */
const SLACK = 16

const asGiven = (found: string): string => found.replace(/[ \t\\]/g, '').toUpperCase()
