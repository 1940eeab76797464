/**
 * What an answer was grounded in (ai.google.dev/gemini-api/docs/google-search): pages, which pieces of the text they stand
 * for, and what was searched. Google counts in bytes of UTF-8.
 */
import type { Choice, Citation, Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'

const list = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
const charsOf = (bytes: Buffer, place: unknown): number | undefined =>
  typeof place === 'number' && place >= 0 ? bytes.toString('utf8', 0, place).length : undefined
const bytesOf = (text: string, place: number): number => Buffer.byteLength(text.slice(0, place))

/** @param text all of the candidate's text so far */
export function readGrounding(said: unknown, text: string): Required<Pick<Choice, 'citations' | 'searches'>> {
  const told = isObject(said) ? said : {}
  const pages = (Array.isArray(told.groundingChunks) ? told.groundingChunks : []).map((chunk): Citation | undefined => {
    const page = isObject(chunk) ? [chunk.web, chunk.retrievedContext].find(isObject) : undefined
    if (!page || !isString(page.uri)) return undefined
    return { url: page.uri, ...(isString(page.title) && page.title !== '' ? { title: page.title } : {}) }
  })
  const searches = (Array.isArray(told.webSearchQueries) ? told.webSearchQueries : []).filter(isString)
  const bytes = Buffer.from(text)
  const named = new Set<number>()
  const citations = list(told.groundingSupports).flatMap((support): Citation[] => {
    const segment = isObject(support.segment) ? support.segment : {}
    const end = charsOf(bytes, segment.endIndex)
    // Zero is not written out there.
    const span = end === undefined ? {} : { start: charsOf(bytes, segment.startIndex ?? 0) ?? 0, end }
    const indices = Array.isArray(support.groundingChunkIndices) ? support.groundingChunkIndices : []
    return indices.flatMap((index): Citation[] => {
      const page = pages[Number(index)]
      if (!page) return []
      named.add(Number(index))
      return [{ ...page, ...span }]
    })
  })
  // Pages that stand for the whole.
  for (const [index, page] of pages.entries()) if (page && !named.has(index)) citations.push(page)
  return { citations, searches }
}

/** @returns undefined where there is nothing to tell */
export function writeGrounding(
  citations: readonly Citation[],
  searches: readonly string[],
  text: string,
): Json | undefined {
  if (citations.length === 0 && searches.length === 0) return undefined
  const pages = new Map<string, Json>()
  for (const { url, title } of citations)
    if (!pages.has(url)) pages.set(url, { web: { uri: url, title: title ?? url } })
  const places = [...pages.keys()]
  const supports = new Map<string, Json & { groundingChunkIndices: number[] }>()
  for (const { url, start, end } of citations) {
    if (start === undefined || end === undefined) continue
    const key = `${start} ${end}`
    const segment = {
      startIndex: bytesOf(text, start),
      endIndex: bytesOf(text, end),
      text: text.slice(start, end),
    }
    const support = supports.get(key) ?? { segment, groundingChunkIndices: [] }
    supports.set(key, support)
    const place = places.indexOf(url)
    if (!support.groundingChunkIndices.includes(place)) support.groundingChunkIndices.push(place)
  }
  return {
    ...(searches.length > 0 ? { webSearchQueries: searches } : {}),
    groundingChunks: [...pages.values()],
    groundingSupports: [...supports.values()],
  }
}
