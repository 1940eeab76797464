/** What guards see of a request, whatever its operation, and how a change of it goes out. */
import type { Json } from '../dialects/canonical.ts'
import { readForm } from '../dialects/multipart.ts'
import { peek } from '../dialects/peek.ts'
import { readJson } from '../dialects/read-json.ts'
import { hasTwins } from '../guardrails/json-texts.ts'
import { type View, viewOf, viewOfFields, viewOfForm } from '../guardrails/view.ts'
import type { Call } from './call.ts'
import { canonicalOf } from './compose.ts'

export interface Seen {
  /** A field stands in it twice: readers disagree on which counts, so that what was read goes out, and not what came. */
  isTwofold: boolean
  /** As it is now. */
  view(): View
  /** It was changed by what `view` gave: from here on that goes out. */
  changed(): void
}

export function seenOf(call: Call): Seen {
  if (call.form) return ofForm(call)
  if (call.door.dialect.op === 'forward') return ofFields(call)
  let view: View | undefined
  return {
    isTwofold: hasTwins(new TextDecoder().decode(call.bytes)),
    view: () => {
      view ??= viewOf(canonicalOf(call))
      return view
    },
    changed: () => {
      view = undefined
      call.isRewritten = true
    },
  }
}

/** JSON that is passed on as it is: it is written anew. */
function ofFields(call: Call): Seen {
  const { model, ...fields } = readJson(call.bytes) as Json
  return {
    isTwofold: hasTwins(new TextDecoder().decode(call.bytes)),
    view: () => viewOfFields(fields),
    changed: () => {
      call.bytes = new TextEncoder().encode(JSON.stringify({ model, ...fields }))
      call.peek = peek(call.bytes, call.door.dialect, call.door.said)
    },
  }
}

/** The fields of a form that are text, and the names of its files; the files themselves are none. */
function ofForm(call: Call): Seen {
  const names = (call.form ?? []).flatMap(({ filename }) => filename ?? [])
  const parts = (call.form ?? []).filter(({ filename, name }) => filename === undefined && name !== 'model')
  const said = parts.map(({ start, end }) => new TextDecoder().decode(call.bytes.subarray(start, end)))
  const fields = Object.fromEntries(said.map((text, i) => [String(i), text]))
  return {
    isTwofold: false,
    view: () => viewOfForm(fields, names),
    changed: () => {
      for (const [i, { start, end }] of [...parts.entries()].toReversed()) {
        const text = fields[i]
        if (text === undefined || text === said[i]) continue
        call.bytes = Buffer.concat([call.bytes.subarray(0, start), Buffer.from(text), call.bytes.subarray(end)])
      }
      call.form = readForm(call.bytes, call.request.headers.get('content-type') ?? '')
      parts.splice(
        0,
        parts.length,
        ...call.form.filter(({ filename, name }) => filename === undefined && name !== 'model'),
      )
      for (const i of said.keys()) said[i] = fields[i] ?? ''
    },
  }
}
