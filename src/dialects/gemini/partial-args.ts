/**
 * Calls whose arguments Vertex AI streams value by value (`partialArgs`, docs.cloud.google.com, "Streaming function call
 * arguments"): each value has its JSON path, and a long string comes in several. They are put together here, since values
 * come in the order of the model and not in the order of JSON text.
 */
import type { Json } from '../canonical.ts'
import { badReply, isObject, isString } from '../wire.ts'

interface Open {
  name: unknown
  id: unknown
  args: Json
  /** What stood beside the call in its part (its signature). */
  beside: Json
}

const bare = (): Json => Object.create(null) as Json
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/gy

/** `$.foo['a b'][0]` as its steps (RFC 9535, singular queries). */
function stepsOf(path: string): (string | number)[] {
  const steps: (string | number)[] = []
  STEP.lastIndex = 1
  for (let match = STEP.exec(path); match; match = STEP.exec(path)) {
    const [, name, index, single, double] = match
    const quoted = single ?? double
    steps.push(index !== undefined ? Number(index) : (name ?? (quoted as string).replace(/\\(.)/g, '$1')))
    if (STEP.lastIndex === path.length) return steps
  }
  throw badReply('The upstream streamed an argument of a tool call at a path that is none.')
}

function valueIn(said: Json): unknown {
  if (isString(said.stringValue)) return said.stringValue
  if (typeof said.numberValue === 'number') return said.numberValue
  if (typeof said.boolValue === 'boolean') return said.boolValue
  return said.nullValue === undefined ? undefined : null
}

/** Puts a value at its place; a text that is there already goes on. */
function put(args: Json, path: unknown, value: unknown): void {
  const steps = isString(path) ? stepsOf(path) : []
  let holder = args as Record<string | number, unknown>
  for (const [place, step] of steps.entries()) {
    // The next one of a list, never one far behind it: a list of holes would be written out.
    if (Array.isArray(holder) ? typeof step !== 'number' || step > holder.length : typeof step === 'number')
      throw badReply('The upstream streamed an argument of a tool call to a place that is not there.')
    if (place === steps.length - 1) {
      const before = holder[step]
      holder[step] = isString(before) && isString(value) ? before + value : value
      return
    }
    holder[step] ??= typeof steps[place + 1] === 'number' ? [] : bare()
    if (typeof holder[step] !== 'object')
      throw badReply('The upstream streamed an argument of a tool call into another one.')
    holder = holder[step] as Record<string | number, unknown>
  }
}

export class PartialCalls {
  private open: Open | undefined

  /** The parts of a chunk, with calls that are whole now in the place of their pieces. */
  gather(parts: readonly unknown[]): unknown[] {
    return parts.flatMap((part) => {
      if (!isObject(part) || !isObject(part.functionCall)) return [part]
      const { functionCall: call, ...beside } = part
      const goesOn = call.willContinue === true
      if (!this.open && !goesOn && !Array.isArray(call.partialArgs)) return [part]
      // Another one begins: what was open is all there is of it.
      const before = this.open && isString(call.name) && call.name !== '' ? this.close() : []
      this.open ??= { name: call.name, id: call.id, args: bare(), beside }
      if (isObject(call.args)) Object.assign(this.open.args, call.args)
      for (const one of Array.isArray(call.partialArgs) ? call.partialArgs.filter(isObject) : []) {
        const value = valueIn(one)
        if (value !== undefined) put(this.open.args, one.jsonPath, value)
      }
      return goesOn ? before : [...before, ...this.close()]
    })
  }

  /** The call that is open, as it is. */
  close(): Json[] {
    if (!this.open) return []
    const { name, id, args, beside } = this.open
    this.open = undefined
    return [{ functionCall: { name, ...(id === undefined ? {} : { id }), args }, ...beside }]
  }
}
