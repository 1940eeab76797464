/** Long texts in parts of a size that a scanner takes, and what it found in them back where it stood. */
import type { Piece } from '../guard.ts'

export interface Part {
  piece: number
  /** Where in the piece the part begins. */
  from: number
  text: string
}

/** Characters that a part has in common with the one before it, so that nothing is cut in two. */
const OVERLAP = 256
/** Questions at a time. */
const AT_ONCE = 4

/** @param most characters of a part */
export function partsOf(pieces: readonly Piece[], most: number): Part[] {
  return pieces.flatMap(({ text }, piece) =>
    text.trim() === '' ? [] : cut(text, most).map((part) => ({ piece, ...part })),
  )
}

/** @returns stretches of at most `most` characters, which overlap; none ends within a character */
export function cut(text: string, most: number): { from: number; text: string }[] {
  const parts: { from: number; text: string }[] = []
  const overlap = Math.min(OVERLAP, Math.floor(most / 4))
  for (let from = 0; ; ) {
    let to = Math.min(text.length, from + most)
    if (to < text.length) {
      // At a space, where there is one near.
      const space = text.lastIndexOf(' ', to)
      if (space > to - overlap && space > from) to = space
      else if (isHigh(text.charCodeAt(to - 1))) to--
    }
    parts.push({ from, text: text.slice(from, to) })
    if (to >= text.length) return parts
    let next = Math.max(from + 1, to - overlap)
    if (isHigh(text.charCodeAt(next - 1))) next++
    from = next
  }
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

/** Several texts as one of at most `most` characters each, for scanners that say yes or no and charge by the question. */
export function documentsOf(pieces: readonly Piece[], most: number): string[] {
  const documents: string[] = []
  for (const { text } of partsOf(pieces, most)) {
    const last = documents.length - 1
    const joined = last >= 0 ? `${documents[last]}\n\n${text}` : text
    if (last >= 0 && joined.length <= most) documents[last] = joined
    else documents.push(text)
  }
  return documents
}

/** A few at a time, in order. Where one fails the others are given up. */
export async function each<T, R>(
  all: readonly T[],
  signal: AbortSignal,
  ask: (one: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const given = new AbortController()
  const both = AbortSignal.any([signal, given.signal])
  const results: R[] = new Array(all.length)
  let next = 0
  const worker = async () => {
    while (next < all.length) {
      const at = next++
      results[at] = await ask(all[at] as T, both)
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, all.length) }, worker))
  } catch (cause) {
    given.abort()
    throw cause
  }
  return results
}

/** Where characters begin that a service counts as Python does, by code points: UTF-16 of a text. */
export function codePointOffsets(text: string): (offset: number) => number {
  if (!/[\ud800-\udfff]/.test(text)) return (offset) => offset
  const starts: number[] = []
  for (let at = 0; at < text.length; at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1) starts.push(at)
  return (offset) => (offset >= starts.length ? text.length : (starts[offset] as number))
}
