/** A request cut to what a target can do. What can be left out is warned of (and so refused or named); what was said cannot. */
import { Refusal } from '../core/refusal.ts'
import type { Abilities } from '../core/target.ts'
import type { Chat, Part } from './canonical.ts'
import type { Warn } from './dialect.ts'

/** Content that a target must be able to take in: without it the question is another one. */
const CONTENT = { image: ['images', 'images'], audio: ['audio', 'audio'], file: ['files', 'files'] } as const

/**
 * @param abilities only what is `false` counts: what nobody knows is tried
 * @param name the model in the caller's words, for the sentence
 * @returns the same object where nothing had to change
 * @throws Refusal unsupported_parameter for content that the target cannot take in
 */
export function fit(chat: Chat, abilities: Abilities, name: string, warn: Warn): Chat {
  for (const message of chat.messages) for (const part of message.parts) refuseContent(part, abilities, name)
  if (abilities.tools === false && chat.tools && chat.tools.length > 0) {
    warn('tools', 'the model calls none')
    const { tools: _, toolChoice: __, parallelTools: ___, ...rest } = chat
    return fit(rest, abilities, name, warn)
  }
  if (abilities.thinking === false && chat.thinking?.enabled) {
    warn.adapted?.('thinking', 'the model does not think aloud')
    const { thinking: _, ...rest } = chat
    return rest
  }
  return chat
}

/** What a part of a message needs its target to be able to; undefined for what each of them takes. */
export const needOf = (part: Part): 'images' | 'audio' | 'files' | undefined => contentOf(part)?.[0]

const contentOf = (part: Part) => (part.type in CONTENT ? CONTENT[part.type as keyof typeof CONTENT] : undefined)

function refuseContent(part: Part, abilities: Abilities, name: string): void {
  const needed = contentOf(part)
  if (needed && abilities[needed[0]] === false)
    throw new Refusal(
      'unsupported_parameter',
      `The model '${name}' takes no ${needed[1]}. Ask another model, or leave them out.`,
      { param: 'messages' },
    )
}
