/** What is done to the gateway, as it is told to the audit: the object before and after, without what is secret. Pure. */

export type ChangeAction =
  | 'created'
  | 'updated'
  | 'deleted'
  | 'blocked'
  | 'unblocked'
  | 'rotated'
  | 'read'
  | 'failed'
  | 'locked_out'
  | 'forgotten'
  | 'started'

export interface Change {
  /** `key`, `team`, `user`, `credential`, `session`, … */
  table: string
  id: string
  action: ChangeAction
  /** The whole object; what did not change is left out by `changedFields`. */
  before?: object | undefined
  after?: object | undefined
}

/** Whoever keeps something tells of each change of it. */
export type TellChange = (change: Change) => void

/** Nobody listens. */
export const tellNobody: TellChange = () => {}

const MASK = '***'
/** Fields that hold what opens something, by whatever name they are nested. */
const SECRET = /secret|password|passwd|digest|api_?key|private|credential_?values|totp|recovery|authorization|cookie/i
/** A field `key` or `token` that holds a text is one; `max_tokens` is a number. */
const KEYLIKE = /^(key|token|access_token|refresh_token)$/i
/** Keys and tokens, wherever somebody has put them. */
const LOOKS_SECRET =
  /\bsk-[\w-]{8,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|\b(?:AKIA|ASIA)[A-Z\d]{16}\b|\bgh[pousr]_\w{20,}/g
/** What opens something in front of an address's host, behind the name of a way in, and in addresses that are secret as a whole. */
const USERINFO = /\b([a-z][\w+.-]{0,30}:\/\/)[^\s/?#@"']{1,500}@/gi
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi
const HOOKS =
  /(\/\/(?:hooks\.slack\.com|(?:ptb\.|canary\.)?discord(?:app)?\.com\/api\/webhooks|[\w.-]+\.webhook\.office\.com)\/)[^\s"']+/gi
const QUERY = /([?&](?:key|api_?key|token|access_token|sig|signature|code|secret|password)=)[^&\s"'#]+/gi

/** A text without the secrets that it shows. */
const withoutShown = (text: string): string =>
  text
    .replaceAll(LOOKS_SECRET, MASK)
    .replaceAll(USERINFO, `$1${MASK}@`)
    .replaceAll(BEARER, `$1 ${MASK}`)
    .replaceAll(HOOKS, `$1${MASK}`)
    .replaceAll(QUERY, `$1${MASK}`)

/** Says nothing by itself. */
const ALWAYS_OTHER = new Set(['updatedAt', 'updated_at'])
/** The longest text that is told of a field. */
const LONGEST = 2_000

/** The same without secrets: by their type (which prints itself so), by their field, and by how they look. */
export function withoutSecrets(value: unknown, name = '', depth = 0): unknown {
  if (value === null || value === undefined) return value
  if (SECRET.test(name) || (KEYLIKE.test(name) && typeof value === 'string')) return MASK
  if (typeof value === 'string') {
    const plain = withoutShown(value.slice(0, 2 * LONGEST))
    return plain.length > LONGEST || value.length > 2 * LONGEST ? `${plain.slice(0, LONGEST)}…` : plain
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object') return typeof value === 'boolean' ? value : undefined
  if (depth > 6) return '…'
  if ('toJSON' in value && typeof value.toJSON === 'function') return withoutSecrets(value.toJSON(), name, depth + 1)
  if (ArrayBuffer.isView(value)) return MASK
  if (Array.isArray(value)) return value.slice(0, 200).map((one) => withoutSecrets(one, name, depth + 1))
  const fields = Object.entries(value).slice(0, 200)
  return Object.fromEntries(
    fields.flatMap(([key, one]) => (one === undefined ? [] : [[key, withoutSecrets(one, key, depth + 1)]])),
  )
}

type Fields = Record<string, unknown>

/** Of an object that was changed only the fields that differ; a secret that differs says so, masked. */
export function changedFields(change: Pick<Change, 'before' | 'after'>): { before?: Fields; after?: Fields } {
  const { before, after } = change
  const plain = (object: object) => withoutSecrets(object) as Fields
  if (!before || !after)
    return { ...(before ? { before: plain(before) } : {}), ...(after ? { after: plain(after) } : {}) }
  const [old, now] = [before as Fields, after as Fields]
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])]
  const differ = names.filter(
    (name) => !ALWAYS_OTHER.has(name) && JSON.stringify(old[name]) !== JSON.stringify(now[name]),
  )
  const only = (object: Fields) => plain(Object.fromEntries(differ.map((name) => [name, object[name] ?? null])))
  return { before: only(old), after: only(now) }
}

/** What happened to something that may be blocked. */
export function actionOf(
  before: { blocked?: boolean | undefined } | undefined,
  after: { blocked?: boolean | undefined },
): ChangeAction {
  if (!before) return 'created'
  if ((before.blocked ?? false) === (after.blocked ?? false)) return 'updated'
  return after.blocked ? 'blocked' : 'unblocked'
}
