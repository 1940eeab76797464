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

const [QUOTE, BACKSLASH, MINUS, ZERO, NINE, COLON] = [0x22, 0x5c, 0x2d, 0x30, 0x39, 0x3a]

/** Behind its closing quote. It is JSON: there is one. */
function endOfString(json: string, start: number): number {
  for (let from = start + 1; ; ) {
    const end = json.indexOf('"', from)
    // Escaped, where an odd number of backslashes stands before it.
    let backslashes = 0
    while (json.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return end + 1
    from = end + 1
  }
}

/** The JSON with another text in the place of one: a number becomes a string. */
export const withText = (json: string, { start, end }: Pick<JsonText, 'start' | 'end'>, text: string): string =>
  json.slice(0, start) + JSON.stringify(text) + json.slice(end)

/** Whether some object in it has the same key twice: readers take the first or the last. Linear; `false` where it is no JSON. */
export function hasTwins(json: string): boolean {
  let kept: number
  try {
    kept = keysIn(JSON.parse(json))
  } catch {
    return false
  }
  let written = 0
  for (let at = json.indexOf('"'); at >= 0; at = json.indexOf('"', at)) {
    at = endOfString(json, at)
    let code = json.charCodeAt(at)
    while (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d) code = json.charCodeAt(++at)
    if (code === COLON) written++
  }
  return written !== kept
}

function keysIn(root: unknown): number {
  let keys = 0
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (typeof value !== 'object' || value === null) continue
    const isList = Array.isArray(value)
    for (const one of isList ? value : Object.values(value)) if (typeof one === 'object') open.push(one)
    if (!isList) keys += Object.keys(value).length
  }
  return keys
}

/** A text somewhere in a parsed value, and the way to put another there. */
export interface Placed {
  text: string
  put(text: string): void
}

/** Names of fields whose texts nobody reads: ids, signatures, what is sealed. What is no such thing is read there, too. */
const UNREAD =
  /^(id|type|.*_id|.*Id|signature|.*[sS]ignature|encrypted_content|b64_\w+|model|media_?type|mime_?type|mimeType)$/
/** Ids, settings and base64: no sentence, no address, and not digits alone, which may be an account's. */
const OPAQUE = /^(?=.*[A-Za-z])[\w:./=+-]*$/
/** Bytes, which are no text. What only begins like them is. */
const DATA_URL = /^data:[\w.+-]+\/[\w.+-]+(?:;[\w.+=-]+)*;base64,[\w+/=-]*$/
/** What a programmer calls a field. */
const FIELD_NAME = /^[A-Za-z_$][\w.$-]*$/
/** Shorter integers are settings. */
const LEAST_NUMBER = 100_000_000
const MOST_DEEP = 64

export const isOpaque = (text: string): boolean => OPAQUE.test(text)

/**
 * Every text in a value that is not in canonical form, long numbers, and keys that are no names of fields. What is deeper
 * than 64 is found as JSON.
 * @param allKeys whoever sent it has chosen its keys, too
 */
export function placesIn(value: unknown, put: (value: unknown) => void, allKeys = false, deep = 0): Placed[] {
  if (typeof value === 'string') return value === '' || DATA_URL.test(value) ? [] : [{ text: value, put }]
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) >= LEAST_NUMBER ? [{ text: String(value), put }] : []
  if (typeof value !== 'object' || value === null) return []
  if (deep > MOST_DEEP) return [{ text: JSON.stringify(value), put }]
  const found: Placed[] = []
  const holder = value as Record<string, unknown>
  for (const [key, one] of Object.entries(value)) {
    if (!Array.isArray(value) && (allKeys || !FIELD_NAME.test(key))) found.push(keyPlace(holder, key))
    if (UNREAD.test(key) && typeof one === 'string' && isOpaque(one)) continue
    for (const place of placesIn(one, (text) => setOwn(holder, key, text), allKeys, deep + 1)) found.push(place)
  }
  return found
}

/** A key as a text: another one takes over what stands there by then. */
const keyPlace = (holder: Record<string, unknown>, key: string): Placed => ({
  text: key,
  put(text) {
    const value = holder[key]
    delete holder[key]
    setOwn(holder, text, value)
  },
})

/** Also where it is called `__proto__`. */
function setOwn(holder: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

const ESCAPED = /\\+u([0-9a-fA-F]{4})/g

/**
 * JSON within a text, as tools give it back and programs write it: `\u0061` is read as it will be. Of what comes of it the
 * same is meant: quotes, backslashes and control characters stay as they are.
 */
export function unescaped(text: string): string {
  if (!text.includes('\\u')) return text
  return text.replace(ESCAPED, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16)
    return code < 0x20 || code === QUOTE || code === BACKSLASH ? whole : String.fromCharCode(code)
  })
}
