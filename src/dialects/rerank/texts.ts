/** Documents as a target takes them: most take texts, while callers may send objects. */
import type { Json, Rerank } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { bad, isString } from '../wire.ts'

/** Values as YAML's plain lines, which Cohere's guide recommends for what has fields. */
const line = ([name, value]: readonly [string, unknown]): string =>
  `${name}: ${isString(value) ? value : JSON.stringify(value)}`

/** An object as the text to rank it by: its `text` alone, the fields that were named, or else nothing. */
function textOf(document: Json, fields: readonly string[] | undefined): string | undefined {
  if (fields === undefined)
    return isString(document.text) && Object.keys(document).length === 1 ? document.text : undefined
  const named = fields.filter((name) => document[name] !== undefined && document[name] !== null)
  if (named.length === 1 && isString(document[named[0] as string])) return document[named[0] as string] as string
  return named.length === 0 ? undefined : named.map((name) => line([name, document[name]])).join('\n')
}

/**
 * @param takes keys of the objects that the target takes as they are
 * @throws Refusal invalid_request where a document has no text to be ranked by
 */
export function documentsFor(asked: Rerank, warn: Warn, takes: readonly string[] = []): (string | Json)[] {
  const { documents, rankFields } = asked
  let more = false
  const written = documents.map((document, i) => {
    if (isString(document)) return document
    if (takes.some((key) => document[key] !== undefined)) return document
    const text = textOf(document, rankFields)
    if (text !== undefined) return text
    // Cohere's first API ranked by `text` alone where no fields were named.
    if (rankFields === undefined && isString(document.text)) {
      more = true
      return document.text
    }
    throw bad(`documents[${i}]`, "a text, an object with a 'text', or one with a field of 'rank_fields'")
  })
  if (rankFields !== undefined && documents.some((document) => !isString(document)))
    warn.adapted?.('rank_fields', 'the named fields are sent as one text')
  if (more) warn.adapted?.('documents', "only their 'text' is ranked: name others in 'rank_fields'")
  return written
}

export function textsOf(asked: Rerank, warn: Warn): string[] {
  return documentsFor(asked, warn) as string[]
}
