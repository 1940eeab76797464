/**
 * Citations of web pages on Anthropic's text blocks (platform.claude.com/docs/en/build-with-claude/citations). Those of
 * documents have no address and stay Anthropic's own.
 */
import type { Citation, Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'

/** @param span the place of the block's text among all of the answer's */
export function readCitation(said: unknown, span: { start: number; end: number }): Citation | undefined {
  if (!isObject(said)) return undefined
  const url = said.type === 'web_search_result_location' ? said.url : said.source
  const isPage = said.type === 'web_search_result_location' || said.type === 'search_result_location'
  if (!isPage || !isString(url)) return undefined
  return {
    url,
    ...(isString(said.title) && said.title !== '' ? { title: said.title } : {}),
    ...(isString(said.cited_text) && said.cited_text !== '' ? { quote: said.cited_text } : {}),
    ...(span.end > span.start ? span : {}),
  }
}

/** An index that only Anthropic can make is empty: such a citation is taken out again where it comes back. */
export const writeCitation = ({ url, title, quote = '' }: Citation): Json => ({
  type: 'web_search_result_location',
  url,
  title: title ?? null,
  cited_text: quote,
  encrypted_index: '',
})

const isOurs = (citation: unknown): boolean => isObject(citation) && citation.encrypted_index === ''

/** A block without the citations that we made, which a Claude would refuse; the block itself where there are none. */
export function withoutOurs(block: Json): Json {
  const { citations, ...rest } = block
  if (!Array.isArray(citations) || !citations.some(isOurs)) return block
  const theirs = citations.filter((one) => !isOurs(one))
  return theirs.length > 0 ? { ...rest, citations: theirs } : rest
}

/** Takes them out of a request, in place. Whether there were any. */
export function disown(body: Json): boolean {
  let found = false
  for (const message of Array.isArray(body.messages) ? body.messages.filter(isObject) : []) {
    if (!Array.isArray(message.content)) continue
    message.content = message.content.map((block) => {
      const cleaned = isObject(block) ? withoutOurs(block) : block
      found ||= cleaned !== block
      return cleaned
    })
  }
  return found
}
