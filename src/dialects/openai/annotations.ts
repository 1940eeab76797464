/** Where an answer's text comes from, in OpenAI's words (`url_citation`): chat wraps each one, Responses does not. */
import type { Citation, Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'

const count = (value: unknown): value is number => typeof value === 'number' && value >= 0

/** @param offset characters of the answer before the text that the spans count in */
export function readAnnotations(said: unknown, offset = 0): Citation[] {
  return (Array.isArray(said) ? said : []).flatMap((one): Citation[] => {
    if (!isObject(one) || one.type !== 'url_citation') return []
    const told = isObject(one.url_citation) ? one.url_citation : one
    const { url, title, content, start_index: start, end_index: end } = told
    if (!isString(url)) return []
    // Nothing at the very beginning is no span.
    const isSpan = count(start) && count(end) && end > 0
    return [
      {
        url,
        ...(isString(title) && title !== '' ? { title } : {}),
        ...(isString(content) && content !== '' ? { quote: content } : {}),
        ...(isSpan ? { start: start + offset, end: end + offset } : {}),
      },
    ]
  })
}

/**
 * A citation of a text that begins after `offset` characters of the answer and is `length` long; one whose span nobody
 * knows is of all of it.
 */
export function writeAnnotation({ url, title, start, end }: Citation, offset: number, length: number): Json {
  const within = (place: number) => Math.min(Math.max(place - offset, 0), length)
  return {
    type: 'url_citation',
    start_index: start === undefined ? 0 : within(start),
    end_index: end === undefined ? length : within(end),
    url,
    title: title ?? url,
  }
}

/** The same as chat says it. What is quoted of the source stands there too, as OpenRouter has it. */
export function writeChatAnnotation(citation: Citation, length: number): Json {
  const { type, ...said } = writeAnnotation(citation, 0, length)
  const content = citation.quote === undefined ? {} : { content: citation.quote }
  return { type, url_citation: { ...said, ...content } }
}
