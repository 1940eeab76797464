/** How much there is at most. */
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { EVERYTHING, PASSED } from '../look.ts'

const most = z.number().int().positive().optional()
const settings = z
  .strictObject({
    max_characters: most.describe('Of all texts together.'),
    max_tokens: most.describe(
      'The same in tokens, estimated: four ASCII characters make one, and so does each other character.',
    ),
    max_messages: most.describe('Texts.'),
    max_message_characters: most.describe('Of the longest text.'),
  })
  .refine((said) => Object.values(said).some((one) => one !== undefined), {
    message: 'nothing is limited: say `max_characters`, `max_tokens`, `max_messages` or `max_message_characters`.',
  })

export const size = defineKind({
  kind: 'size',
  settings,
  make: (said) => ({
    kind: 'size',
    local: true,
    needsWhole: true,
    window: 1,
    kinds: EVERYTHING,
    version: versionOf('size', 1, said),
    look({ pieces }) {
      const { max_characters, max_tokens, max_messages, max_message_characters } = said
      let [characters, longest] = [0, 0]
      for (const { text } of pieces) {
        characters += text.length
        if (text.length > longest) longest = text.length
      }
      const over: string[] = []
      if (max_characters !== undefined && characters > max_characters) over.push('max_characters')
      if (max_messages !== undefined && pieces.length > max_messages) over.push('max_messages')
      if (max_message_characters !== undefined && longest > max_message_characters) over.push('max_message_characters')
      // Fewer characters than tokens allowed can't be too many.
      if (max_tokens !== undefined && characters > max_tokens && tokensOf(pieces) > max_tokens) over.push('max_tokens')
      return over.length > 0 ? { flagged: true, categories: over, findings: [] } : PASSED
    },
  }),
})

function tokensOf(pieces: readonly { text: string }[]): number {
  let quarters = 0
  for (const { text } of pieces) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      // Of two halves of a character one counts.
      quarters += code < 128 ? 1 : code >= 0xdc00 && code <= 0xdfff ? 0 : 4
    }
  }
  return Math.ceil(quarters / 4)
}
