/** Gemini's contents, both ways: turns of `user` and `model`, results of tools in the user's, the system apart. */
import type { Json, Message, Part } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { MESSAGE_HINTS } from '../hints.ts'
import { answered, type Waiting } from '../waiting.ts'
import { bad, extrasFor, isObject, isString, requiredObject } from '../wire.ts'
import { ID, readPart, requireParts, writePart, writeResult } from './parts.ts'
import { camelled } from './spelling.ts'

export function readContents(system: unknown, value: unknown): Message[] {
  const messages: Message[] = []
  if (system !== undefined && system !== null) {
    const parts = readTurn(isString(system) ? { parts: [{ text: system }] } : system, 'systemInstruction').parts
    if (parts.length > 0) messages.push({ role: 'system', parts })
  }
  const contents = isObject(value) ? [value] : value
  if (!Array.isArray(contents)) throw bad('contents', 'an array')
  const waiting: Waiting[] = []
  for (const [index, item] of contents.entries())
    messages.push(...readContent(item, `contents[${index}]`, index, waiting))
  return messages
}

function readTurn(value: unknown, path: string): { role: unknown; parts: Part[] } {
  const content = camelled(requiredObject(value, path), path)
  const parts = requireParts(content, path)
    .map((part, index) => readPart(part, `${path}.parts[${index}]`))
    .filter((part) => part !== undefined)
  return { role: content.role, parts }
}

/** A user's turn becomes two messages where it holds results: those first. */
function readContent(value: unknown, path: string, position: number, waiting: Waiting[]): Message[] {
  const { role, parts } = readTurn(value, path)
  if (role === 'model') {
    let index = 0
    for (const part of parts) {
      if (part.type !== 'call') continue
      if (part.id === '') part.id = `call_${position}_${index}`
      waiting.push({ id: part.id, name: part.name })
      index++
    }
    return [{ role: 'assistant', parts }]
  }
  if (role === 'system') return [{ role: 'system', parts }]
  if (role !== undefined && role !== null && role !== 'user' && role !== 'function' && role !== 'tool')
    throw bad(`${path}.role`, "'user' or 'model'")
  for (const part of parts) {
    if (part.type === 'result') part.callId = answered(waiting, part.callId || undefined, part.name, `call_${position}`)
  }
  const results = parts.filter((part) => part.type === 'result')
  const rest = parts.filter((part) => part.type !== 'result')
  if (results.length === 0) return [{ role: 'user', parts }]
  const tool: Message = { role: 'tool', parts: results }
  return rest.length > 0 ? [tool, { role: 'user', parts: rest }] : [tool]
}

interface Written {
  system: Json | undefined
  contents: Json[]
}

/**
 * Gemini knows one system instruction, at the front; results of one turn must stand in one content.
 * @param mustSign whether the model refuses a step whose first call is unsigned
 */
export function writeContents(messages: readonly Message[], mustSign: boolean, warn: Warn): Written {
  const system: Json[] = []
  const contents: { from: Message['role']; role: string; parts: Json[] }[] = []
  /** Call id → tool: results are known by their tool's name. */
  const names = new Map<string, string>()
  for (const message of messages) {
    extrasFor(ID, message.extras, warn, MESSAGE_HINTS, 'messages.')
    const { role } = message
    if (role === 'system') {
      if (contents.length > 0)
        warn.adapted?.('messages.system', 'Gemini knows one system instruction: later ones were moved into it')
      system.push(...write(message.parts, warn))
      continue
    }
    for (const part of message.parts) if (part.type === 'call') names.set(part.id, part.name)
    const parts = role === 'tool' ? writeResults(message.parts, names, warn) : write(message.parts, warn)
    if (parts.length === 0) continue
    const last = contents.at(-1)
    if (last?.from === role && role !== 'user') last.parts.push(...parts)
    else contents.push({ from: role, role: role === 'assistant' ? 'model' : 'user', parts })
  }
  if (contents.length === 0 && system.length > 0) {
    warn.adapted?.('messages.system', 'Gemini answers nobody but a user: the system message was sent as one')
    return { system: undefined, contents: [{ role: 'user', parts: system }] }
  }
  if (mustSign) for (const { parts } of contents) sign(parts)
  return {
    system: system.length > 0 ? { parts: system } : undefined,
    contents: contents.map(({ role, parts }) => ({ role, parts })),
  }
}

const write = (parts: readonly Part[], warn: Warn): Json[] =>
  parts.map((part) => writePart(part, warn)).filter((part) => part !== undefined)

/** All results first, then the images and files of each under a line that says whose they are. */
function writeResults(parts: readonly Part[], names: ReadonlyMap<string, string>, warn: Warn): Json[] {
  const results: Json[] = []
  const beside: Json[] = []
  for (const part of parts) {
    if (part.type !== 'result') continue
    const name = part.name ?? names.get(part.callId) ?? part.callId
    const { written, aside } = writeResult(part, name, warn)
    results.push(written)
    if (aside.length > 0) beside.push({ text: `Content of the result of ${name}:` }, ...write(aside, warn))
  }
  return [...results, ...beside]
}

/**
 * A Gemini 3 answers 400 to a step whose first call is unsigned; for calls that it did not make itself Google names a
 * word that it lets pass (ai.google.dev/gemini-api/docs/thought-signatures, FAQ).
 */
function sign(parts: Json[]): void {
  const first = parts.find((part) => part.functionCall !== undefined)
  if (first && first.thoughtSignature === undefined) first.thoughtSignature = 'skip_thought_signature_validator'
}
