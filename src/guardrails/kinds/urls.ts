/** Addresses of the web: whose, and of what kind. */
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { lookThrough, SAID } from '../look.ts'
import { Automaton } from '../text/aho.ts'

const MOST_URL = 2_048

const host = z
  .string()
  .min(1)
  .max(253)
  .transform((said) => said.toLowerCase().replace(/^\*?\./, ''))
const flag = (what: string, by: boolean) => z.boolean().default(by).describe(`${what} Default: ${by}.`)
const settings = z.strictObject({
  allow: z.array(host).max(10_000).optional().describe('Hosts, each with those below it: others are flagged.'),
  deny: z
    .array(host)
    .max(10_000)
    .default([])
    .describe('Hosts that are flagged, each with those below it, also without `https://`.'),
  ip_literals: flag('Whether an address in place of a name is flagged.', true),
  punycode: flag('Whether names in Punycode, or with letters that are not ASCII, are flagged.', true),
  credentials: flag('Whether a user or a password in it is flagged.', true),
  data: flag('Whether `data:` and `javascript:` are flagged.', true),
  any: flag('Whether every address is flagged.', false),
})

type Said = z.output<typeof settings>
type Tell = (start: number, end: number, what: string) => void

export const urls = defineKind({
  kind: 'urls',
  settings,
  make(said) {
    const [allow, deny] = [said.allow && new Set(said.allow), new Set(said.deny)]
    const bare = said.deny.length > 0 ? new Automaton(said.deny) : undefined
    return {
      kind: 'urls',
      local: true,
      needsWhole: false,
      window: MOST_URL,
      kinds: SAID,
      version: versionOf('urls', 1, said),
      look: (subject) =>
        lookThrough(subject, (text, tell) => {
          const told: Tell = (start, end, what) => tell({ start, end, what, confidence: 1 })
          eachUrl(text, said.data, (start, end) => {
            const what = fault(text.slice(start, end), said, allow, deny)
            if (what) told(start, end, what)
          })
          bare?.scan(text.toLowerCase(), ({ length }, end) => {
            if (!isOfHost(text.charCodeAt(end - length - 1)) && !isOfHost(text.charCodeAt(end)))
              told(end - length, end, 'DENIED_HOST')
          })
        }),
    }
  },
})

/** What goes on in a name; a point does not, so that names below are found, too. */
const isOfHost = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 45 || code === 95

const DATA = /\b(?:data:[\w.+-]{1,64}\/[\w.+-]{1,64}[;,]|javascript:|vbscript:)/gi
function eachUrl(text: string, data: boolean, tell: (start: number, end: number) => void): void {
  for (let at = text.indexOf('://'); at >= 0; ) {
    let start = at
    while (start > 0 && at - start < 24 && isScheme(text.charCodeAt(start - 1))) start--
    const end = endOf(text, at + 3)
    if (start < at && end > at + 3) tell(start, end)
    at = text.indexOf('://', Math.max(end, at + 3))
  }
  if (data && text.includes(':')) for (const { index } of text.matchAll(DATA)) tell(index, endOf(text, index))
}

const isScheme = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 43

function endOf(text: string, from: number): number {
  let end = from
  const most = Math.min(text.length, from + MOST_URL)
  while (end < most && !ENDS.has(text.charCodeAt(end))) end++
  while (end > from && TRAILING.has(text.charCodeAt(end - 1))) end--
  return end
}
const codes = (chars: string): Set<number> => new Set([...chars].map((char) => char.charCodeAt(0)))
const ENDS = codes(' \t\r\n"\'<>`|^\\{}\u3000\u00a0')
const TRAILING = codes('.,;:!?)]*_')

/** What is wrong with it; undefined: nothing. */
function fault(
  url: string,
  said: Said,
  allow: ReadonlySet<string> | undefined,
  deny: ReadonlySet<string>,
): string | undefined {
  if (!url.includes('://')) return 'DATA_URL'
  let read: URL
  try {
    // Schemes that are not the web's keep a host as it is written: numbers in other forms would not be seen.
    read = new URL(url.replace(/^[a-z][a-z0-9+]*:/i, 'http:'))
  } catch {
    return allow || said.any ? 'URL' : undefined
  }
  const name = read.hostname.replace(/\.$/, '')
  const isAddress = name.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(name)
  if (said.credentials && (read.username !== '' || read.password !== '')) return 'URL_CREDENTIALS'
  if (isWithin(name, deny)) return 'DENIED_HOST'
  if (allow && isWithin(name, allow)) return said.any ? 'URL' : undefined
  if (said.ip_literals && isAddress) return 'IP_LITERAL'
  if (said.punycode && /(?:^|\.)xn--/.test(name)) return 'PUNYCODE'
  return allow ? 'UNKNOWN_HOST' : said.any ? 'URL' : undefined
}

function isWithin(name: string, hosts: ReadonlySet<string>): boolean {
  if (hosts.size === 0) return false
  for (let at = 0; at >= 0; at = name.indexOf('.', at) + 1 || -1) if (hosts.has(name.slice(at))) return true
  return false
}
