/**
 * Reasoning of OpenAI's Responses: an item of its own, whose encrypted content only OpenAI can read. It is kept whole, so
 * that it goes back byte for byte, and goes to no other dialect.
 */
import type { Json, Part } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'
import { ID } from './content.ts'

/** The texts of a list of summary or content parts, one paragraph each. */
const textsOf = (list: unknown): string =>
  (Array.isArray(list) ? list : [])
    .flatMap((part) => (isObject(part) && isString(part.text) ? [part.text] : []))
    .join('\n\n')

/** What an item says in the clear: the reasoning itself where it is shown (open models), else its summary. */
export const thoughtIn = (item: Json): string => textsOf(item.content) || textsOf(item.summary)

export function readReasoning(item: Json): Part & { type: 'thinking' } {
  return { type: 'thinking', text: thoughtIn(item), extras: { dialect: ID, fields: item } }
}

/** Whether it is a whole item of ours, fit to be sent back as it came. */
export const ownReasoning = (part: Part): Json | undefined =>
  part.type === 'thinking' && part.extras?.dialect === ID && part.extras.fields.type === 'reasoning'
    ? part.extras.fields
    : undefined
