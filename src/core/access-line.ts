/**
 * A line of an access log as nginx writes its format `combined` (ngx_http_log_module), with the times of the request and of
 * the upstream behind it. What a caller says cannot end a field or a line. Pure.
 */

export interface Access {
  ip: string | undefined
  /** Of somebody who has come in with a name and a password. */
  user: string | undefined
  /** ms since the epoch: when it ended. */
  at: number
  method: string
  /** As it came, path and query. */
  target: string
  status: number
  /** Of the body. */
  bytes: number
  referer: string | null
  agent: string | null
  /** ms */
  tookMs: number
  upstreamMs: number | undefined
}

/** As nginx escapes variables in a log: quotes, backslashes and what is no printable ASCII become `\xXX`, byte by byte. */
export function escaped(text: string): string {
  if (!/["\\]|[^\x20-\x7e]/.test(text)) return text
  let out = ''
  for (const byte of new TextEncoder().encode(text))
    out +=
      byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
        ? `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte)
  return out
}

/** Parameters that open something. */
const SECRETS = /([?&;](?:[\w-]*(?:key|token|secret|password|signature)|code|state|invitation_id|ticket)=)[^&;#\s]*/gi

/** Without keys, wherever in an address they stand. */
export const withoutKeys = (target: string): string =>
  target.replaceAll(SECRETS, '$1***').replaceAll(/\bsk-[\w%-]+/g, 'sk-***')

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `21/Nov/2026:13:00:00 +0000` */
export function localTime(at: number): string {
  const [year, month, day, hour, minute, second] = new Date(at).toISOString().split(/[-T:.]/)
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${hour}:${minute}:${second} +0000`
}

const LONGEST = 8_000

const field = (text: string | null | undefined): string => (text ? escaped(text.slice(0, LONGEST)) : '-')
const seconds = (ms: number): string => (Math.max(0, ms) / 1000).toFixed(3)

/** With its end. */
export function accessLine(one: Access): string {
  const { ip, user, at, method, target, status, bytes, referer, agent, tookMs, upstreamMs } = one
  const request = `${method} ${withoutKeys(target)} HTTP/1.1`
  const upstream = upstreamMs === undefined ? '-' : seconds(upstreamMs)
  // A name with blanks would move the fields behind it.
  const name = user ? escaped(user).replaceAll(' ', '\\x20') : '-'
  return `${ip ?? '-'} - ${name} [${localTime(at)}] "${field(request)}" ${status} ${bytes} "${field(referer && withoutKeys(referer))}" "${field(agent)}" ${seconds(tookMs)} ${upstream}\n`
}
