/** The input of a batch: a request a line. Which model they ask, and the same lines with another name for it. Pure. */

import { Refusal } from '../core/refusal.ts'
import { readJson } from './read-json.ts'
import { type Scan, type Span, scan } from './scan.ts'
import { splice } from './splice.ts'

const wrong = (line: number, what: string): Refusal =>
  new Refusal('invalid_request', `Line ${line} of the batch's input ${what}.`, { param: 'file' })

interface Line {
  bytes: Uint8Array
  body: Span
  inner: Uint8Array
  found: Scan
  model: string
}

/** @throws Refusal where it is no request or names its model ambiguously */
function readLine(bytes: Uint8Array, number: number): Line {
  let outer: Scan
  try {
    outer = scan(bytes)
  } catch {
    throw wrong(number, 'is not a JSON object')
  }
  const body = outer.keys.get('body')
  if (body?.kind !== 'object') throw wrong(number, "has no 'body'")
  const inner = bytes.subarray(body.start, body.end)
  const found = scan(inner)
  const alike = [...found.keys.keys()].some((k) => k !== 'model' && k.normalize('NFKC').toLowerCase() === 'model')
  if (outer.duplicates.includes('body') || found.duplicates.includes('model') || alike)
    throw wrong(number, 'names its model in two ways')
  const span = found.keys.get('model')
  const model = span?.kind === 'string' ? readJson(inner.subarray(span.start, span.end)) : ''
  if (model === '') throw wrong(number, "names no 'model' in its body")
  return { bytes, body, inner, found, model: model as string }
}

/** The lines that are not empty. */
function* linesOf(file: Uint8Array): Generator<readonly [line: Uint8Array, number: number]> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  let number = 0
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at)
    const line = bytes.subarray(at, end < 0 ? bytes.length : end)
    at = end < 0 ? bytes.length : end + 1
    number++
    if (line.some((byte) => byte > 0x20)) yield [line, number]
  }
}

/** So many lines at a time; in between others have their turn. */
const AT_ONCE = 512

/**
 * The one model that all lines ask.
 * @param rest lets others have their turn
 * @throws Refusal where there is none, or more than one (a batch is for one: OpenAI's own rule)
 */
export async function modelOfBatch(file: Uint8Array, rest: () => Promise<void>): Promise<string> {
  let model: string | undefined
  for (const [line, number] of linesOf(file)) {
    if (number % AT_ONCE === 0) await rest()
    const read = readLine(line, number)
    if (model !== undefined && read.model !== model)
      throw wrong(
        number,
        `asks '${read.model.slice(0, 100)}', the lines before '${model.slice(0, 100)}': a batch has one model`,
      )
    model = read.model
  }
  if (model === undefined) throw wrong(1, 'is missing: the file is empty')
  return model
}

/** The same lines, asking `model`. */
export async function withModel(file: Uint8Array, model: string, rest: () => Promise<void>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const [line, number] of linesOf(file)) {
    if (number % AT_ONCE === 0) await rest()
    const { body, inner, found } = readLine(line, number)
    parts.push(line.subarray(0, body.start), splice(inner, { model }, found), line.subarray(body.end), NEWLINE)
  }
  return Buffer.concat(parts)
}

const NEWLINE = Uint8Array.of(0x0a)
