/**
 * The chunks of a stream as the whole answer that they make: what is not known is kept, as OpenAI's own client does it
 * (openai-python, `accumulate_delta`).
 */
import type { Json } from '../canonical.ts'
import type { Joiner } from '../dialect.ts'
import { isObject, isString } from '../wire.ts'

/** Words that are said once, or again and again, and are not pieces of anything. */
const SAID_ONCE = new Set(['role', 'id', 'type', 'index', 'name', 'format', 'object'])

export function joinChunks(): Joiner {
  const top: Json = {}
  const choices = new Map<number, Json>()
  return {
    push(chunk) {
      const { choices: said, ...rest } = chunk
      // Usage is null in all chunks but the last.
      for (const [key, value] of Object.entries(rest)) if (value !== null || !(key in top)) top[key] = value
      for (const [position, choice] of (Array.isArray(said) ? said : []).entries()) {
        if (!isObject(choice)) continue
        const index = typeof choice.index === 'number' ? choice.index : position
        const whole = choices.get(index) ?? { index, message: { role: 'assistant', content: null } }
        choices.set(index, whole)
        addChoice(whole, choice)
      }
    },
    whole: () => ({
      ...top,
      object: 'chat.completion',
      choices: [...choices.entries()].sort(([a], [b]) => a - b).map(([, choice]) => settled(choice)),
    }),
  }
}

/** A stream begins with an empty text also where nothing but calls follow; a whole answer has none then. */
function settled(choice: Json): Json {
  const message = choice.message as Json
  if (message.content === '' && Array.isArray(message.tool_calls)) message.content = null
  return choice
}

function addChoice(whole: Json, { delta, index: _, logprobs, ...rest }: Json): void {
  for (const [key, value] of Object.entries(rest)) if (value !== null || !(key in whole)) whole[key] = value
  if (isObject(logprobs)) {
    if (!isObject(whole.logprobs)) whole.logprobs = {}
    add(whole.logprobs as Json, logprobs)
  } else if (logprobs === null) whole.logprobs ??= null
  if (!isObject(delta)) return
  const { tool_calls: calls, ...said } = delta
  const message = whole.message as Json
  add(message, said)
  if (!Array.isArray(calls) || calls.length === 0) return
  message.tool_calls ??= []
  const all = message.tool_calls as Json[]
  for (const [position, call] of calls.entries()) if (isObject(call)) addCall(all, whole, call, position)
}

/** Which of a choice's calls each of the upstream's indices stands for; no part of the answer. */
const open = new WeakMap<Json, Map<number, Json>>()

function addCall(all: Json[], choice: Json, { index, ...call }: Json, position: number): void {
  const theirs = typeof index === 'number' ? index : position
  const calls = open.get(choice) ?? new Map<number, Json>()
  open.set(choice, calls)
  let current = calls.get(theirs)
  const named = isObject(call.function) && isString(call.function.name) && call.function.name !== ''
  // Some servers give every parallel call the index 0: another id with a name is another call.
  if (!current || (isString(call.id) && call.id !== '' && call.id !== current.id && named)) {
    current = {}
    calls.set(theirs, current)
    all.push(current)
  }
  add(current, call)
}

function add(to: Json, from: Json): void {
  for (const [key, value] of Object.entries(from)) {
    const before = to[key]
    if (before === undefined || before === null) {
      if (isObject(value)) {
        const fresh: Json = {}
        add(fresh, value)
        to[key] = fresh
      } else to[key] = Array.isArray(value) ? [...value] : value
    } else if (value === null || value === undefined) continue
    else if (isString(before) && isString(value)) to[key] = SAID_ONCE.has(key) ? before || value : before + value
    else if (Array.isArray(before) && Array.isArray(value)) before.push(...value)
    else if (isObject(before) && isObject(value)) add(before, value)
    else to[key] = value
  }
}
