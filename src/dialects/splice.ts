/** Edits top-level members of a JSON object in its bytes, so that everything else goes on exactly as it came. */

import type { Json } from './canonical.ts'
import { readJson } from './read-json.ts'
import { type Scan, scan } from './scan.ts'

const encoder = new TextEncoder()

/**
 * Replaces the values of members that are there and puts the others in front.
 * @param edits key → new value (anything `JSON.stringify` takes; undefined leaves the member alone)
 * @param found the scan of the same bytes, where there is one already
 * @returns new bytes; the same ones where there is nothing to do
 */
export function splice(bytes: Uint8Array, edits: Json, found: Scan = scan(bytes)): Uint8Array {
  const cuts: { start: number; end: number; text: Uint8Array }[] = []
  let inserted = ''
  for (const [key, value] of Object.entries(edits)) {
    if (value === undefined) continue
    const json = JSON.stringify(value)
    const span = found.keys.get(key)
    if (span) cuts.push({ start: span.start, end: span.end, text: encoder.encode(json) })
    else inserted += `${inserted === '' ? '' : ','}${JSON.stringify(key)}:${json}`
  }
  if (inserted !== '') {
    const at = found.open + 1
    cuts.push({ start: at, end: at, text: encoder.encode(found.keys.size > 0 ? `${inserted},` : inserted) })
  }
  if (cuts.length === 0) return bytes
  cuts.sort((a, b) => a.start - b.start)
  const out = new Uint8Array(cuts.reduce((size, cut) => size + cut.text.length - (cut.end - cut.start), bytes.length))
  let read = 0
  let written = 0
  for (const cut of cuts) {
    out.set(bytes.subarray(read, cut.start), written)
    written += cut.start - read
    out.set(cut.text, written)
    written += cut.text.length
    read = cut.end
  }
  out.set(bytes.subarray(read), written)
  return out
}

/** The edit that sets a field which may be nested one level (`options.num_predict`), its neighbours kept. */
export function edit(bytes: Uint8Array, found: Scan, field: string, value: unknown): Json {
  const [head, tail] = field.split('.') as [string, string?]
  if (tail === undefined) return { [head]: value }
  const span = found.keys.get(head)
  const parent = span?.kind === 'object' ? (readJson(bytes.subarray(span.start, span.end)) as Json) : {}
  return { [head]: { ...parent, [tail]: value } }
}
