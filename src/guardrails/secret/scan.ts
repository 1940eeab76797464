/** Looks at each character of a text once, and closer where a secret may begin or has its name beside it. */
import { holding, knownAt, privateKeys } from './known.ts'
import { namedAt } from './named.ts'

/** Tells of one find. @param confidence [0, 1] */
export type Tell = (what: string, start: number, end: number, confidence: number) => void

const WORD = 1
const SIGN = 2
const TABLE = new Uint8Array(128)
for (const char of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_') TABLE[char.charCodeAt(0)] = WORD
for (const char of ':=') TABLE[char.charCodeAt(0)] = SIGN
/** `：`, as it is written with Chinese letters. */
const WIDE_COLON = 0xff1a

/** @param named whether names beside values count, too */
export function scan(text: string, named: boolean, tell: Tell): void {
  const sure: Tell = (what, start, end) => tell(what, start, end, 0.98)
  privateKeys(text, (what, start, end) => sure(what, start, end, 1))
  holding(text, (what, start, end) => sure(what, start, end, 1))
  const { length } = text
  let inWord = false
  /** What stands in a value by its name is no name: `password=password=…` is looked through once. */
  let namedTo = 0
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    const kind = code < 128 ? (TABLE[code] as number) : code === WIDE_COLON ? SIGN : 0
    if (kind === WORD) {
      if (inWord) continue
      inWord = true
      const known = knownAt(text, at)
      if (!known) continue
      sure(known.what, at, known.end, 1)
      at = known.end - 1
      continue
    }
    inWord = false
    if (kind !== SIGN) continue
    if (code === 58 && text.charCodeAt(at + 1) === 47 && text.charCodeAt(at + 2) === 47) url(text, at, tell)
    else if (named && at >= namedTo) {
      const found = namedAt(text, at)
      if (!found) continue
      tell(found.what, found.start, found.end, found.confidence)
      namedTo = found.end
    }
  }
}

const DATABASE =
  /(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb|oracle|ldaps?|nats|cassandra|neo4j|bolt)(?:\+[a-z]{2,12})?$/i
const PASSWORD_IN_URL = /:\/\/[^\s/?#@:]{0,128}:([^\s/?#@]{1,256})@[^\s"'<>]{0,256}/y
/** A URL with a password in it. @param at of the `:` of `://` */
function url(text: string, at: number, tell: Tell): void {
  PASSWORD_IN_URL.lastIndex = at
  const match = PASSWORD_IN_URL.exec(text)
  if (!match || /^(?:[<${[*%]|(?:password|pass|pw|xxx+)$)/i.test(match[1] as string)) return
  const before = text.slice(Math.max(0, at - 24), at)
  const scheme = DATABASE.exec(before)?.[0]
  const web = /[a-z][a-z0-9+.-]{1,20}$/i.exec(before)?.[0].length ?? 0
  if (scheme !== undefined) tell('DATABASE_URL', at - scheme.length, at + match[0].length, 0.95)
  else tell('URL_CREDENTIALS', at - web, at + match[0].length, 0.9)
}
