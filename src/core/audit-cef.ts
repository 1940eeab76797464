/** Entries of the audit as other systems read them: ArcSight's Common Event Format, in a message of syslog (RFC 5424). Pure. */
import type { ChainRow } from './audit-chain.ts'
import { chainName } from './audit-entry.ts'

type Json = Record<string, unknown>

/** What ends a text or a line for some readers, or turns what is shown around: as JSON would have it. */
const UNSEEN = /[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
const plain = (text: string): string =>
  text.replaceAll(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** In a header `|` and the backslash are escaped, and there is one line. */
const header = (text: string): string =>
  plain(text)
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll(/[\\|]/g, '\\$&')

/** In a value `=`, the backslash and ends of lines are escaped. */
const value = (text: string): string =>
  plain(text).replaceAll(/[\\=]/g, '\\$&').replaceAll('\r', '\\r').replaceAll('\n', '\\n')

/** How grave it is, 0 to 10: what was done to the gateway more than what passed it. */
export function severityOf(body: Json): number {
  const status = Number(body.status ?? 200)
  if (body.kind === 'gap') return 9
  if (body.kind === 'folded' || status === 401 || status === 403) return 6
  if (body.kind === 'admin') return 5
  return status >= 400 ? 4 : 2
}

/** The fields that CEF has no name for are `cs1` to `cs6` and `cn1` to `cn3`, each with its label. */
const CUSTOM_TEXT = ['model', 'target', 'key', 'prompt', 'guardrails', 'attempts'] as const
const CUSTOM_NUMBER = ['cost_nano', 'input_tokens', 'output_tokens'] as const

const textOf = (said: unknown): string => (typeof said === 'string' ? said : JSON.stringify(said))

/** One line. @param details of an entry about the gateway itself, where they are at hand */
export function cefOf(row: Pick<ChainRow, 'chain' | 'seq' | 'at' | 'body'>, version: string, details?: Json): string {
  const body = { ...(JSON.parse(row.body) as Json), ...details }
  const said = (name: string): string | undefined =>
    body[name] === undefined || body[name] === null ? undefined : textOf(body[name])
  const kind = String(body.kind)
  const what = said('outcome') ?? said('action')
  const extension: [string, string | undefined][] = [
    ['rt', String(row.at)],
    ['cat', chainName(row.chain)],
    ['externalId', said('id')],
    ['deviceExternalId', String(row.seq)],
    ['src', isAddress(said('ip')) ? said('ip') : undefined],
    ['suid', said('user') ?? said('actor')],
    ['spriv', said('role')],
    ['requestMethod', said('way')],
    ['act', said('call') ?? said('route')],
    ['outcome', what],
    ['reason', said('status')],
    ['in', said('bytes')],
    ['cnt', said('count')],
    ...CUSTOM_TEXT.flatMap((name, i): [string, string | undefined][] => custom(`cs${i + 1}`, name, said(name))),
    ...CUSTOM_NUMBER.flatMap((name, i): [string, string | undefined][] => custom(`cn${i + 1}`, name, said(name))),
    ['msg', kind === 'request' ? undefined : messageOf(body)],
  ]
  const fields = extension.flatMap(([name, text]) => (text === undefined ? [] : [`${name}=${value(text)}`]))
  const head = ['CEF:0', 'Tollgate', 'Tollgate', version, `${kind}${what ? `:${what}` : ''}`, titleOf(kind, what)]
  return `${head.map((part, i) => (i === 0 ? part : header(part))).join('|')}|${severityOf(body)}|${fields.join(' ')}`
}

const custom = (field: string, label: string, text: string | undefined): [string, string | undefined][] =>
  text === undefined
    ? []
    : [
        [field, text],
        [`${field}Label`, label],
      ]

const TITLES: Readonly<Record<string, string>> = {
  request: 'Request',
  admin: 'Change of the gateway',
  folded: 'Refused strangers',
  gap: 'Entries that were lost',
  start: 'The gateway has begun',
  stop: 'The gateway has ended',
  redacted: 'A person was taken out',
}

const titleOf = (kind: string, what: string | undefined): string =>
  `${TITLES[kind] ?? kind}${what === undefined ? '' : ` (${what})`}`

/** What has no field of its own. */
function messageOf({ kind: _, id: __, time: ___, ...rest }: Json): string {
  return JSON.stringify(rest).slice(0, 4_000)
}

const isAddress = (text: string | undefined): boolean => text !== undefined && /^[\d.]+$|^[\da-f:.]+$/i.test(text)

/** Facility 13 is the audit's. */
const FACILITY = 13

/**
 * A message of RFC 5424. Its text is ASCII or UTF-8 without a mark, as receivers of CEF expect it.
 * @param host the machine's name @param pid of the process
 */
export function syslogOf(
  row: Pick<ChainRow, 'chain' | 'seq' | 'at' | 'body'>,
  { host, pid, version }: { host: string; pid: number; version: string },
  details?: Json,
): string {
  const severity = severityOf(JSON.parse(row.body)) >= 6 ? 4 : 6
  const name = host.replaceAll(/[^\x21-\x7e]/g, '').slice(0, 255) || '-'
  return `<${FACILITY * 8 + severity}>1 ${new Date(row.at).toISOString()} ${name} tollgate ${pid} ${chainName(row.chain)} - ${cefOf(row, version, details)}`
}

/** A line of JSON: the entry, its place in the chain, and its code. */
export function jsonlOf(row: ChainRow, details?: Json): string {
  const mac = Array.from(row.mac, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const place = { chain: chainName(row.chain), seq: row.seq, at: new Date(row.at).toISOString(), mac }
  return JSON.stringify({ ...place, entry: JSON.parse(row.body), ...(details ? { details } : {}) })
}
