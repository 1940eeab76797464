/** Searches of the web, items of their own in OpenAI's Responses (`web_search_call`). */
import type { Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'

export const SEARCH = 'web_search_call'

/** What was searched; undefined for anything else, and for a page that was opened. */
export function searchIn(item: Json): string | undefined {
  if (item.type !== SEARCH || !isObject(item.action)) return undefined
  const { query, queries } = item.action
  const said = isString(query) && query !== '' ? query : Array.isArray(queries) ? queries[0] : undefined
  return isString(said) ? said : undefined
}

export const writeSearch = (query: string, id: string): Json => ({
  id,
  type: SEARCH,
  status: 'completed',
  action: { type: 'search', query, queries: [query] },
})
