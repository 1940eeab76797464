/** The nearest right word. */

/** Edits (insert, delete, change, swap of neighbours) from one word to the other: optimal string alignment. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** Case, hyphens and underscores are how people differ most. */
const plain = (word: string): string => word.toLowerCase().replace(/[-_. ]/g, '')

/** The word that was meant: at most a third of its letters away, the first of equals. Undefined where none is near. */
export function nearest(word: string, words: Iterable<string>): string | undefined {
  const said = plain(word)
  // A very long word has no near one, and the distance is quadratic.
  if (said === '' || said.length > 200) return undefined
  let found: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of words) {
    const meant = plain(candidate)
    // A word that was cut off is near, too: `temp`, `usage-based`.
    const begun = said.length < 4 ? Number.POSITIVE_INFINITY : distance(said, meant.slice(0, said.length)) + 1
    const away = meant === said ? 0 : Math.min(distance(said, meant), begun)
    const most = Math.max(1, Math.floor(said.length / 3))
    if (away <= most && away < least) {
      found = candidate
      least = away
    }
  }
  return found
}
