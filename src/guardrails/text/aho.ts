/** Many words in one pass (A. V. Aho, M. J. Corasick, 1975), as a table: its time does not depend on how many words there are. */

export interface Word {
  /** Its number in the list. */
  index: number
  length: number
}

/** 4 bytes each. */
const MOST_CELLS = 32_000_000

export class Automaton {
  /** Classes of characters: those of no word are 0. */
  readonly #classes = new Uint16Array(65_536)
  readonly #next: Int32Array
  readonly #width: number
  /** Words that end in a state, each with those that are its ends. */
  readonly #ends: readonly (readonly Word[] | undefined)[]

  /** @param words not empty, each folded */
  constructor(words: readonly string[]) {
    let classes = 1
    let most = 1
    for (const word of words) {
      most += word.length
      for (let i = 0; i < word.length; i++) {
        const code = word.charCodeAt(i)
        if (this.#classes[code] === 0) this.#classes[code] = classes++
      }
    }
    // A phrase goes on over the end of a line.
    for (const code of [9, 10, 11, 12, 13, 0xa0]) this.#classes[code] ||= this.#classes[32] as number
    const width = classes
    if (most * width > MOST_CELLS)
      throw new Error(
        'these words take too much memory: fewer or shorter ones, or several guardrails with a part of them each.',
      )
    const grown = new Int32Array(most * width)
    const ends: Word[][] = [[]]
    let states = 1
    for (const [index, word] of words.entries()) {
      let state = 0
      for (let i = 0; i < word.length; i++) {
        const cell = state * width + (this.#classes[word.charCodeAt(i)] as number)
        if (grown[cell] === 0) {
          grown[cell] = states++
          ends.push([])
        }
        state = grown[cell] as number
      }
      ends[state]?.push({ index, length: word.length })
    }
    this.#next = grown.slice(0, states * width)
    this.#width = width
    this.#link(ends)
    // A state is told by where its row begins, and by whether a word ends there.
    for (let i = 0; i < this.#next.length; i++) {
      const state = this.#next[i] as number
      this.#next[i] = ((state * width) << 1) | ((ends[state] as Word[]).length > 0 ? 1 : 0)
    }
    this.#ends = ends.map((words) => (words.length > 0 ? words : undefined))
  }

  /** Where a word does not go on, its longest end that is the beginning of another does. */
  #link(ends: Word[][]): void {
    const [next, width] = [this.#next, this.#width]
    const fail = new Int32Array(ends.length)
    const queue: number[] = []
    for (let i = 0; i < width; i++) if (next[i] !== 0) queue.push(next[i] as number)
    for (let head = 0; head < queue.length; head++) {
      const state = queue[head] as number
      const back = fail[state] as number
      ends[state]?.push(...(ends[back] as Word[]))
      for (let i = 0; i < width; i++) {
        const to = next[state * width + i] as number
        const other = next[back * width + i] as number
        if (to === 0) next[state * width + i] = other
        else {
          fail[to] = other
          queue.push(to)
        }
      }
    }
  }

  /** @param tell of each word where it ends; longer ones before those within them */
  scan(text: string, tell: (word: Word, end: number) => void): void {
    const [classes, next, width, ends] = [this.#classes, this.#next, this.#width, this.#ends]
    let row = 0
    for (let at = 0; at < text.length; at++) {
      const cell = next[row + (classes[text.charCodeAt(at)] as number)] as number
      row = cell >> 1
      if ((cell & 1) === 0) continue
      for (const word of ends[row / width] as readonly Word[]) tell(word, at + 1)
    }
  }
}
