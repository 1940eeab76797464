/** Messages of Anthropic's dialect, both ways. There results of tools stand inside of the user's messages. */
import type { Json, Message, Part } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { MESSAGE_HINTS } from '../hints.ts'
import { bad, extrasFor, extrasOf, isString, optionalArray, requiredObject } from '../wire.ts'
import { cacheMark, ID, readContent, writeContent } from './content.ts'

const KNOWN = new Set(['role', 'content'])

export function readMessages(system: unknown, value: unknown): Message[] {
  const messages = (optionalArray(value, 'messages') ?? []).flatMap((item, index) =>
    readMessage(requiredObject(item, `messages.${index}`), `messages.${index}`),
  )
  const parts = readContent(system, 'system')
  return parts.length > 0 ? [{ role: 'system', parts }, ...messages] : messages
}

/** A user's message becomes two where it holds results of tools: those first, as Anthropic itself demands. */
function readMessage(message: Json, path: string): Message[] {
  const { role } = message
  if (role !== 'user' && role !== 'assistant' && role !== 'system')
    throw bad(`${path}.role`, "one of 'user', 'assistant', 'system'")
  if (!isString(message.content) && !Array.isArray(message.content))
    throw bad(`${path}.content`, 'a string or an array')
  const parts = readContent(message.content, `${path}.content`)
  const extras = extrasOf(ID, message, KNOWN, path)
  const more = extras ? { extras } : {}
  const results = role === 'user' ? parts.filter((part) => part.type === 'result') : []
  if (results.length === 0) return [{ role, parts, ...more }]
  const rest = parts.filter((part) => part.type !== 'result')
  const tool: Message = { role: 'tool', parts: results }
  return rest.length > 0 ? [tool, { role, parts: rest, ...more }] : [{ ...tool, ...more }]
}

interface Written {
  system: Json[] | string | undefined
  messages: Json[]
}

/**
 * System messages at the front go to the top; later ones stay where they are. Turns of one role that follow each other
 * become one message: results and what the user says after them must stand together.
 */
export function writeMessages(messages: readonly Message[], warn: Warn): Written {
  const system: Json[] = []
  const aside: Part[] = []
  const written: { role: string; content: Json[]; extras: Json }[] = []
  for (const message of messages) {
    const extras = extrasFor(ID, message.extras, warn, MESSAGE_HINTS, 'messages.')
    const drawn = message.role === 'assistant' ? message.parts.filter(({ type }) => type === 'image') : []
    const parts = drawn.length > 0 ? message.parts.filter(({ type }) => type !== 'image') : message.parts
    const content = writeContent(parts, warn)
    // On a message as a whole it holds for all up to its end.
    const end = content.at(-1)
    if (end) Object.assign(end, { ...cacheMark(message.extras), ...end })
    if (message.role === 'system' && written.length === 0) {
      system.push(...content)
      continue
    }
    if (message.role === 'user' && aside.length > 0) content.unshift(...writeContent(aside.splice(0), warn))
    if (drawn.length > 0) {
      // An assistant's message holds no images there.
      aside.push({ type: 'text', text: 'Images that the assistant made:' }, ...drawn)
      warn.adapted?.('messages.images', 'images of the assistant are shown as if by the user')
    }
    if (content.length === 0) continue
    const role = message.role === 'tool' ? 'user' : message.role
    const last = written.at(-1)
    if (last?.role === role && role !== 'system') {
      last.content.push(...content)
      Object.assign(last.extras, extras)
    } else {
      written.push({ role, content, extras: { ...extras } })
    }
  }
  if (aside.length > 0) written.push({ role: 'user', content: writeContent(aside, warn), extras: {} })
  return {
    system: system.length > 0 ? plain(system) : undefined,
    messages: written.map(({ role, content, extras }) => ({ role, content: plain(content), ...extras })),
  }
}

/** One bare text as a string, the spelling that everyone reads. */
function plain(blocks: Json[]): string | Json[] {
  const [first] = blocks
  return blocks.length === 1 && first?.type === 'text' && Object.keys(first).length === 2
    ? (first.text as string)
    : blocks
}
