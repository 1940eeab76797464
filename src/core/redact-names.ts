/** Takes names out of what is written down. Pure. */

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Replaces whole names in every text of a value: `ada` in `session:ada`, and not in `adapter`. */
export function withoutNames(names: readonly string[], pseudonym: string): (value: unknown) => unknown {
  const known = names.filter((name) => name !== '')
  if (known.length === 0) return (value) => value
  // The longest first: an address holds a name.
  const any = [...known].sort((a, b) => b.length - a.length).map(literally)
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_.@-])(?:${any.join('|')})(?![\\p{L}\\p{N}_@-]|\\.[\\p{L}\\p{N}])`, 'gu')
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(pattern, pseudonym)
    if (Array.isArray(value)) return value.map(clean)
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clean(one)]))
    return value
  }
  return clean
}
