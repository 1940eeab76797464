/** All dialects, by their ids. */
import type { DialectId } from './canonical.ts'
import type { Dialect } from './dialect.ts'
import { openaiChat } from './openai-chat/index.ts'

export const dialects = {
  'openai-chat': openaiChat,
} as Record<DialectId, Dialect>
