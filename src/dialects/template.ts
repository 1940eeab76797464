/**
 * Frames of one stream differ in little more than a piece of text. Once a frame was parsed and found to be plain
 * content, its shape is kept; a frame of the same shape, with nothing in the gaps that could end or bend a JSON string,
 * is then known to be valid and plain content without being parsed. Everything else is parsed, so nothing in a text can
 * be mistaken for structure.
 */
const UNSAFE = /[\\\x00-\x1f]/
/** The inside of a JSON string (RFC 8259, §7). */
const STRING = /^(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*$/
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

interface Gap {
  key: string
  begin: number
  end: number
  kind: 'text' | 'full' | 'number'
}

/** The quote that ends the string whose text begins at `at`, or -1. */
function endOfString(data: string, at: number): number {
  for (let quote = data.indexOf('"', at); quote >= 0; quote = data.indexOf('"', quote + 1)) {
    let before = quote - 1
    while (before >= at && data.charCodeAt(before) === 0x5c) before--
    if (((quote - before) & 1) === 1) return quote
  }
  return -1
}

function isString(text: string): boolean {
  return !UNSAFE.test(text) || STRING.test(text)
}

/**
 * Where the value of a member begins that stands at or behind `from`, or -1. In valid JSON `"key":` outside of a string
 * can only be a member's name, and inside of one its quotes are escaped.
 */
function beginOf(data: string, key: string, from: number): number {
  const mark = `"${key}":`
  for (let at = data.indexOf(mark, from); at >= 0; at = data.indexOf(mark, at + 1)) {
    if (data.charCodeAt(at - 1) === 0x5c) continue
    const begin = at + mark.length
    return data.charCodeAt(begin) === 0x20 ? begin + 1 : begin
  }
  return -1
}

export class Template {
  private parts: string[] | undefined
  private gaps: readonly Pick<Gap, 'key' | 'kind'>[] = []
  /** Where the numbers of the last frame that matched stand: begin and end of each, by the place of its gap. */
  private readonly places: number[] = []
  private last = ''

  /**
   * @param gaps keys whose string values vary; the last one's must not be empty
   * @param numbers keys whose values are counts (0, 1, 2, …) that vary, wherever they stand; where one is missing it does
   * not vary
   * @returns whether the shape could be learned
   */
  learn(data: string, gaps: readonly string[], numbers: readonly string[] = []): boolean {
    const found: Gap[] = []
    for (const [place, key] of gaps.entries()) {
      const quote = beginOf(data, key, 0)
      if (quote < 0 || data.charCodeAt(quote) !== 0x22) return false
      const begin = quote + 1
      const end = endOfString(data, begin)
      if (end < 0) return false
      found.push({ key, begin, end, kind: place === gaps.length - 1 ? 'full' : 'text' })
    }
    for (const key of numbers) {
      for (let begin = beginOf(data, key, 0); begin >= 0; begin = beginOf(data, key, begin)) {
        let end = begin
        while (isDigit(data.charCodeAt(end))) end++
        // Anything but a count (null, a fraction) stays a part of the shape.
        const next = data[end]
        if (end > begin && (next === ',' || next === '}' || next === ']' || next === ' '))
          found.push({ key, begin, end, kind: 'number' })
      }
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
    this.gaps = found
    return true
  }

  /** Whether the frame has the shape that was learned. The gap of the content must hold something. */
  matches(data: string): boolean {
    const { parts, gaps, places } = this
    if (parts === undefined) return false
    const last = parts.length - 1
    if (!data.startsWith(parts[0]!)) return false
    let at = parts[0]!.length
    for (let i = 1; i <= last; i++) {
      const { kind } = gaps[i - 1]!
      let end: number
      if (kind === 'number') {
        end = at
        while (isDigit(data.charCodeAt(end))) end++
        // JSON has no number without a digit, and none that begins with a needless zero.
        if (end === at || (end > at + 1 && data.charCodeAt(at) === 0x30)) return false
        places[2 * i - 2] = at
        places[2 * i - 1] = end
      } else {
        end = endOfString(data, at)
        if (end < 0 || (kind === 'full' && end === at) || !isString(data.slice(at, end))) return false
      }
      const part = parts[i]!
      if (!data.startsWith(part, end)) return false
      if (i === last && end + part.length !== data.length) return false
      at = end + part.length
    }
    this.last = data
    return true
  }

  /** The numbers of the last frame that matched, by their keys; the first one where a key stands more than once. */
  numbers(): Record<string, number> {
    const { gaps, places, last } = this
    const said: Record<string, number> = {}
    for (const [i, { key, kind }] of gaps.entries())
      if (kind === 'number') said[key] ??= Number(last.slice(places[2 * i], places[2 * i + 1]))
    return said
  }
}
