/**
 * The texts in JSON, decoded, with the way back to their places: so that one of them can be changed and every other byte
 * stays as it was written. Linear.
 */

export interface JsonText {
  text: string
  /** Of its token in the JSON, quotes included. */
  start: number
  end: number
}

/** Shorter numbers are no account, card or telephone. */
const LONG_NUMBER = /-?\d[\d.]{6,}/y

/** Every string, keys too, and every long number; undefined where it is no JSON. */
export function textsIn(json: string): JsonText[] | undefined {
  try {
    JSON.parse(json)
  } catch {
    return undefined
  }
  const found: JsonText[] = []
  for (let at = 0; at < json.length; ) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(json, at)
      const text = JSON.parse(json.slice(at, end)) as string
      if (text !== '') found.push({ text, start: at, end })
      at = end
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      LONG_NUMBER.lastIndex = at
      const number = LONG_NUMBER.exec(json)?.[0]
      if (number !== undefined) found.push({ text: number, start: at, end: at + number.length })
      at += number?.length ?? 1
    } else at++
  }
  return found
}

const [QUOTE, BACKSLASH, MINUS, ZERO, NINE] = [0x22, 0x5c, 0x2d, 0x30, 0x39]

/** Behind its closing quote. It is JSON: there is one. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (json.charCodeAt(at) !== QUOTE) at += json.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at + 1
}

/** The JSON with another text in the place of one: a number becomes a string. */
export const withText = (json: string, { start, end }: Pick<JsonText, 'start' | 'end'>, text: string): string =>
  json.slice(0, start) + JSON.stringify(text) + json.slice(end)

/** A text somewhere in a parsed value, and the way to put another there. */
export interface Placed {
  text: string
  put(text: string): void
}

/** Names of fields whose texts nobody reads: ids, signatures, what is sealed. */
const UNREAD = /^(id|type|.*_id|.*Id|signature|.*[sS]ignature|encrypted_content|model|media_?type|mime_?type|mimeType)$/
const MOST_DEEP = 64

/** Every text in a value that is not in canonical form. What is deeper than 64 is found as JSON. */
export function placesIn(value: unknown, put: (value: unknown) => void, deep = 0): Placed[] {
  if (typeof value === 'string') return value === '' || value.startsWith('data:') ? [] : [{ text: value, put }]
  if (typeof value !== 'object' || value === null) return []
  if (deep > MOST_DEEP) return [{ text: JSON.stringify(value), put }]
  const found: Placed[] = []
  for (const [key, one] of Object.entries(value)) {
    if (UNREAD.test(key) && typeof one === 'string') continue
    const holder = value as Record<string, unknown>
    for (const place of placesIn(one, (text) => Object.assign(holder, { [key]: text }), deep + 1)) found.push(place)
  }
  return found
}
