/**
 * Frames of one stream differ in little more than a piece of text. Once a frame was parsed and found to be plain
 * content, its shape is kept; a frame of the same shape, with nothing in the gaps that could end or bend a JSON string,
 * is then known to be valid and plain content without being parsed. Everything else is parsed, so nothing in a text can
 * be mistaken for structure.
 */
const UNSAFE = /[\\\x00-\x1f]/

export class Template {
  private parts: string[] | undefined

  /**
   * @param gaps keys whose string values vary, in the order in which they stand; the last one must not be empty
   * @returns whether the shape could be learned
   */
  learn(data: string, gaps: readonly string[]): boolean {
    const parts: string[] = []
    let from = 0
    for (const key of gaps) {
      // In valid JSON `"key":"` outside of a string's inside can only be a member: inside, its quotes are escaped.
      const mark = `"${key}":"`
      const at = data.indexOf(mark, from)
      if (at < 0) return false
      const begin = at + mark.length
      const end = data.indexOf('"', begin)
      if (end < begin || UNSAFE.test(data.slice(begin, end))) return false
      parts.push(data.slice(from, begin))
      from = end
    }
    parts.push(data.slice(from))
    this.parts = parts
    return true
  }

  /** Whether the frame has the shape that was learned. The last gap must hold something. */
  matches(data: string): boolean {
    const parts = this.parts
    if (parts === undefined) return false
    const last = parts.length - 1
    if (!data.startsWith(parts[0]!)) return false
    let at = parts[0]!.length
    for (let i = 1; i <= last; i++) {
      const quote = data.indexOf('"', at)
      if (quote < 0 || !data.startsWith(parts[i]!, quote)) return false
      if (i === last && (quote === at || quote + parts[i]!.length !== data.length)) return false
      at = quote + parts[i]!.length
    }
    return !data.includes('\\') && !UNSAFE.test(data)
  }
}
