/** E-mail, IPv6, MAC, and URLs with a password in them. Each is looked for around its one sign, within its greatest length. */
import { isAlnum } from '../text/chars.ts'
import type { Tell } from './entities.ts'
import { isIpv4 } from './numbers.ts'

/** RFC 5321, 4.5.3.1. */
const LOCAL = 64
const DOMAIN = 255
const IPV6 = 45

const isLatin = (code: number): boolean => code >= 0xc0 && code <= 0x24f
const isLocal = (code: number): boolean => isAlnum(code) || LOCAL_SIGNS.has(code) || isLatin(code)
const LOCAL_SIGNS = new Set([..."._%+-'"].map((char) => char.charCodeAt(0)))
const isHost = (code: number): boolean => isAlnum(code) || code === 45 || code === 46 || isLatin(code)

/** @param at of an `@` @returns where to go on */
export function email(text: string, at: number, tell: Tell): number {
  let start = at
  while (start > 0 && at - start < LOCAL + 1 && isLocal(text.charCodeAt(start - 1))) start--
  // 'a@b.c': the quote is not of the address.
  while (start < at && (text.charCodeAt(start) === 39 || text.charCodeAt(start) === 46)) start++
  if (start === at || at - start > LOCAL || text.charCodeAt(at - 1) === 46) return at + 1
  let end = at + 1
  const most = Math.min(text.length, at + 1 + DOMAIN)
  while (end < most && isHost(text.charCodeAt(end))) end++
  while (end > at + 1 && (text.charCodeAt(end - 1) === 46 || text.charCodeAt(end - 1) === 45)) end--
  const host = text.slice(at + 1, end)
  if (!/^[^.-][^.]*(?:\.[^.-][^.]*)*\.(?:[A-Za-z\u00c0-\u024f]{2,24}|xn--[A-Za-z0-9-]{2,59})$/.test(host)) return at + 1
  // git@github.com:acme/x is a place, and so is //user@host/; @x@y.z is a name in the Fediverse.
  if (text.charCodeAt(end) === 58 && /[A-Za-z~/]/.test(text[end + 1] ?? '')) return end
  tell('EMAIL_ADDRESS', start, end, 0.95)
  return end
}

const isHex = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102)
const isIpv6Sign = (code: number): boolean => code === 58 || code === 46 || isHex(code)

/** @param at of a `:` @returns where to go on */
export function ipv6(text: string, at: number, tell: Tell): number {
  const next = text.charCodeAt(at + 1)
  if (next !== 58 && !isHex(next)) return at + 1
  let start = at
  while (start > 0 && at - start <= IPV6 && isIpv6Sign(text.charCodeAt(start - 1))) start--
  let end = at + 1
  while (end < text.length && end - at <= IPV6 && isIpv6Sign(text.charCodeAt(end))) end++
  while (end > at && text.charCodeAt(end - 1) === 46) end--
  if (text.charCodeAt(end - 1) === 58 && text.charCodeAt(end - 2) !== 58) end--
  const around = (code: number) => isAlnum(code) || code === 95
  if (end - start > IPV6 || around(text.charCodeAt(start - 1)) || around(text.charCodeAt(end)))
    return Math.max(end, at + 1)
  // 10:30
  if (end - start <= 5 && next !== 58) return Math.max(end, at + 1)
  const sure = ipv6Sureness(text.slice(start, end))
  if (sure > 0) tell('IP_ADDRESS', start, end, sure)
  return Math.max(end, at + 1)
}

/** RFC 4291. 0: it is none. `::` and `a::b` are code as often as addresses. */
function ipv6Sureness(address: string): number {
  const halves = address.split('::')
  if (halves.length > 2) return 0
  const tail = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1]
  if (tail !== undefined && !isIpv4(tail)) return 0
  const parts = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  if (!parts.every((part) => /^[0-9A-Fa-f]{1,4}$/.test(part) || part === tail)) return 0
  const count = parts.length + (tail === undefined ? 0 : 1)
  if (halves.length === 1) return count === 8 ? 0.9 : 0
  if (count > 7) return 0
  return count >= 3 && /\d/.test(address) ? 0.85 : address === '::1' ? 0.3 : 0.4
}

const MAC = /[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z]|[:-][0-9A-Fa-f])/y
/** @param at of a group of two characters with `:` or `-` behind it @returns its end, or -1 */
export function mac(text: string, at: number, tell: Tell): number {
  MAC.lastIndex = at
  if (!MAC.test(text)) return -1
  tell('MAC_ADDRESS', at, at + 17, 0.9)
  return at + 17
}

const USERINFO = /:\/\/([^\s/?#@:]{0,128}):([^\s/?#@]{1,256})@/y
/** @param at of the `:` of `://` */
export function credentials(text: string, at: number, tell: Tell): void {
  USERINFO.lastIndex = at
  const match = USERINFO.exec(text)
  // https://user:${PASSWORD}@…, https://user:<password>@…
  if (!match || /^[<${[*]|^(?:password|pass|pw|xxx+)$/i.test(match[2] as string)) return
  tell('URL_CREDENTIALS', at + 3, at + match[0].length - 1, 0.96)
}
