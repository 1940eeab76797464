/**
 * Frames of one stream differ in little more than a piece of text. Once a frame was parsed and found to be plain
 * content, its shape is kept; a frame of the same shape, with nothing in the gaps that could end or bend a JSON string,
 * is then known to be valid and plain content without being parsed. Everything else is parsed, so nothing in a text can
 * be mistaken for structure.
 */
const UNSAFE = /[\\\x00-\x1f]/
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

interface Gap {
  key: string
  begin: number
  end: number
  kind: 'text' | 'full' | 'number'
}

export class Template {
  private parts: string[] | undefined
  private kinds: Gap['kind'][] = []

  /**
   * @param gaps keys whose string values vary; the last one's must not be empty
   * @param numbers keys whose values are counts (0, 1, 2, …) that vary; where one is missing it does not vary
   * @returns whether the shape could be learned
   */
  learn(data: string, gaps: readonly string[], numbers: readonly string[] = []): boolean {
    const found: Gap[] = []
    for (const [place, key] of gaps.entries()) {
      // In valid JSON `"key":"` outside of a string's inside can only be a member: inside, its quotes are escaped.
      const mark = `"${key}":"`
      const at = data.indexOf(mark)
      if (at < 0) return false
      const begin = at + mark.length
      const end = data.indexOf('"', begin)
      if (end < begin || UNSAFE.test(data.slice(begin, end))) return false
      found.push({ key, begin, end, kind: place === gaps.length - 1 ? 'full' : 'text' })
    }
    for (const key of numbers) {
      const mark = `"${key}":`
      const at = data.indexOf(mark)
      if (at < 0) continue
      const begin = at + mark.length
      let end = begin
      while (isDigit(data.charCodeAt(end))) end++
      if (end === begin) return false
      found.push({ key, begin, end, kind: 'number' })
    }
    found.sort((a, b) => a.begin - b.begin)
    const parts: string[] = []
    let from = 0
    for (const { begin, end } of found) {
      parts.push(data.slice(from, begin))
      from = end
    }
    parts.push(data.slice(from))
    this.parts = parts
    this.kinds = found.map(({ kind }) => kind)
    return true
  }

  /** Whether the frame has the shape that was learned. The gap of the content must hold something. */
  matches(data: string): boolean {
    const { parts, kinds } = this
    if (parts === undefined) return false
    const last = parts.length - 1
    if (!data.startsWith(parts[0]!)) return false
    let at = parts[0]!.length
    for (let i = 1; i <= last; i++) {
      const kind = kinds[i - 1]!
      let end: number
      if (kind === 'number') {
        end = at
        while (isDigit(data.charCodeAt(end))) end++
        // JSON has no number without a digit, and none that begins with a needless zero.
        if (end === at || (end > at + 1 && data.charCodeAt(at) === 0x30)) return false
      } else {
        end = data.indexOf('"', at)
        if (end < 0 || (kind === 'full' && end === at)) return false
      }
      const part = parts[i]!
      if (!data.startsWith(part, end)) return false
      if (i === last && end + part.length !== data.length) return false
      at = end + part.length
    }
    return !data.includes('\\') && !UNSAFE.test(data)
  }
}
