/** Rows as columns, for people. */

/** @param head above the columns */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((cells) => cells[i]?.length ?? 0)))
  return all.map((cells) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Control characters of a name must not reach the terminal. */
export const plain = (value: unknown): string =>
  value == null ? '' : String(value).replace(/[\x00-\x1f\x7f-\x9f]/g, '?')
