/** Messages of Converse: two roles that take turns, and the system's words apart. */
import type { Json, Message } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { MESSAGE_HINTS } from '../hints.ts'
import { extrasFor } from '../wire.ts'
import { ID, writeContent } from './content.ts'

interface Written {
  system: Json[]
  messages: { role: 'user' | 'assistant'; content: Json[] }[]
}

/** Turns of one role become one message; all that the system says goes to the top, where alone it may stand. */
export function writeMessages(messages: readonly Message[], warn: Warn): Written {
  const written: Written = { system: [], messages: [] }
  for (const message of messages) {
    extrasFor(ID, message.extras, warn, MESSAGE_HINTS, 'messages.')
    const content = writeContent(message.parts, warn)
    if (message.role === 'system') {
      if (written.messages.length > 0)
        warn.adapted?.('messages.system', 'system messages stand at the top in the target dialect')
      written.system.push(...content)
      continue
    }
    if (content.length === 0) continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const last = written.messages.at(-1)
    if (last?.role === role) last.content.push(...content)
    else written.messages.push({ role, content })
  }
  return written
}
