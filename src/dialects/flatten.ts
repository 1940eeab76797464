/** Messages as one prompt, for targets that only continue a text, and a prompt as messages. */

import type { Message, Part } from './canonical.ts'
import type { Warn } from './dialect.ts'
import { cannotCarry, joinText, textOfFile } from './parts.ts'
import { wordOf } from './wire.ts'

export interface Flat {
  system: string | undefined
  prompt: string
  images: Part[]
}

const SPEAKER: Record<string, string> = { user: 'User', assistant: 'Assistant', tool: 'Tool', system: 'System' }

/**
 * One user's message is the prompt as it is; a conversation is written down as one.
 * @param dialect named where something cannot be carried
 */
export function flatten(messages: readonly Message[], dialect: string, warn: Warn): Flat {
  const images: Part[] = []
  const systems: string[] = []
  const turns: { role: string; text: string }[] = []
  for (const message of messages) {
    const text = textOf(message.parts, images, dialect, warn)
    if (message.role === 'system' && turns.length === 0) systems.push(text)
    else turns.push({ role: message.role, text })
  }
  const isTalk = turns.length > 1 || (turns.length === 1 && turns[0]!.role !== 'user')
  if (isTalk) warn.adapted?.('messages', 'the target only continues a text: the conversation was written down as one')
  const prompt = isTalk
    ? `${turns.map(({ role, text }) => `${SPEAKER[role]}: ${text}`).join('\n\n')}\n\nAssistant:`
    : (turns[0]?.text ?? '')
  return { system: systems.length > 0 ? systems.join('\n\n') : undefined, prompt, images }
}

function textOf(parts: readonly Part[], images: Part[], dialect: string, warn: Warn): string {
  return parts
    .flatMap((part): string[] => {
      switch (part.type) {
        case 'text':
        case 'refusal':
          return [part.text]
        case 'image':
          images.push(part)
          return []
        case 'file': {
          const text = textOfFile(part)
          if (text === undefined) throw cannotCarry('a file', dialect)
          return [text]
        }
        case 'audio':
          throw cannotCarry('audio', dialect)
        case 'call':
          return [`${part.name}(${part.args})`]
        case 'result':
          return [joinText(part.parts)]
        case 'foreign':
          warn(`messages.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
          return []
        default:
          return []
      }
    })
    .join('\n')
}
