/**
 * Forms with files (RFC 7578), read in place: a caller's audio or image is relayed as it came, only the model's name in it
 * is another one.
 */
import { Refusal } from '../core/refusal.ts'
import type { Dialect } from './dialect.ts'
import type { Peek } from './peek.ts'

/** A field of a form: where its content stands in the body. */
export interface FormPart {
  name: string
  filename: string | undefined
  start: number
  end: number
}

/** More fields than any of these requests has. */
const MOST_PARTS = 256
/** A field that is not a file and longer than this is no setting. */
const LONGEST_FIELD = 1024 * 1024

export const isForm = (contentType: string | null): contentType is string =>
  contentType !== null && /^multipart\/form-data\b/i.test(contentType)

const wrong = (what: string): Refusal =>
  new Refusal('invalid_request', `The form is not valid multipart/form-data: ${what}.`)

/** @throws Refusal invalid_request */
export function readForm(bytes: Uint8Array, contentType: string): FormPart[] {
  const boundary = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))/i.exec(contentType)
  if (!boundary) throw wrong('its content-type names no boundary')
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mark = Buffer.from(`--${boundary[1] ?? boundary[2]}`)
  const parts: FormPart[] = []
  let at = body.indexOf(mark)
  if (at < 0) throw wrong('its boundary does not stand in it')
  for (;;) {
    at += mark.length
    if (body[at] === 0x2d && body[at + 1] === 0x2d) return parts
    const head = body.indexOf('\r\n\r\n', at)
    const end = head < 0 ? -1 : body.indexOf(Buffer.concat([CRLF, mark]), head + 2)
    if (end < 0) throw wrong('it ends before its last boundary')
    if (parts.length === MOST_PARTS) throw wrong(`it has more than ${MOST_PARTS} fields`)
    const said = body.toString('utf8', at, head)
    const name = /content-disposition:[^\r\n]*?[;\s]name="([^"]*)"/i.exec(said)?.[1]
    if (name === undefined) throw wrong('a field has no name')
    const filename = /content-disposition:[^\r\n]*?[;\s]filename="([^"]*)"/i.exec(said)?.[1]
    parts.push({ name, filename, start: head + 4, end })
    at = end + CRLF.length
  }
}

const CRLF = Buffer.from('\r\n')

/** The text of a field; undefined where it is missing. @throws Refusal where it stands twice or is a file */
export function fieldOf(bytes: Uint8Array, parts: readonly FormPart[], name: string): string | undefined {
  const found = parts.filter((p) => p.name === name)
  const [part] = found
  if (!part) return undefined
  if (found.length > 1)
    throw new Refusal('invalid_request', `The field '${name}' stands more than once. Send it once.`, { param: name })
  if (part.filename !== undefined || part.end - part.start > LONGEST_FIELD)
    throw new Refusal('invalid_request', `'${name}' must be a text field.`, { param: name })
  return new TextDecoder().decode(bytes.subarray(part.start, part.end))
}

/** The same form with another text in a field that is there. */
export function withField(bytes: Uint8Array, parts: readonly FormPart[], name: string, value: string): Uint8Array {
  const part = parts.find((p) => p.name === name)
  return part ? Buffer.concat([bytes.subarray(0, part.start), Buffer.from(value), bytes.subarray(part.end)]) : bytes
}

/** What {@link peek} says of a JSON body, of a form. @throws Refusal invalid_request with `param` */
export function peekForm(bytes: Uint8Array, parts: readonly FormPart[], dialect: Dialect): Peek {
  const model = fieldOf(bytes, parts, 'model')
  if (!model) throw new Refusal('invalid_request', "'model' is missing. Name the model to ask.", { param: 'model' })
  for (const name of Object.keys(dialect.fields.required))
    if (!parts.some((p) => p.name === name || p.name === `${name}[]`))
      throw new Refusal('invalid_request', `'${name}' is missing.`, { param: name })
  const n = Number(fieldOf(bytes, parts, 'n') ?? 1)
  if (!Number.isInteger(n) || n < 1)
    throw new Refusal('invalid_request', "'n' must be a positive integer.", { param: 'n' })
  const stream = fieldOf(bytes, parts, 'stream') === 'true'
  return { model, stream, includeUsage: false, n, scan: { keys: new Map(), duplicates: [], open: 0 } }
}

/** Bytes of a form without its files: what of it can be text for a model. */
export const textBytes = (parts: readonly FormPart[]): number =>
  parts.reduce((sum, p) => (p.filename === undefined ? sum + p.end - p.start : sum), 0)
