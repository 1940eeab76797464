/** All dialects, by their ids. */

import { anthropic } from './anthropic/index.ts'
import type { DialectId } from './canonical.ts'
import type { Dialect } from './dialect.ts'
import { gemini } from './gemini/index.ts'
import { geminiEmbed } from './gemini-embed/index.ts'
import { ollamaChat } from './ollama-chat/index.ts'
import { ollamaEmbed } from './ollama-embed/index.ts'
import { ollamaEmbeddings } from './ollama-embeddings/index.ts'
import { ollamaGenerate } from './ollama-generate/index.ts'
import { openaiChat } from './openai-chat/index.ts'
import { openaiCompletions } from './openai-completions/index.ts'
import { openaiEmbeddings } from './openai-embeddings/index.ts'
import { openaiResponses } from './openai-responses/index.ts'

export const dialects = {
  'openai-chat': openaiChat,
  'openai-completions': openaiCompletions,
  'openai-responses': openaiResponses,
  anthropic,
  'ollama-chat': ollamaChat,
  'ollama-generate': ollamaGenerate,
  gemini,
  'openai-embeddings': openaiEmbeddings,
  'ollama-embed': ollamaEmbed,
  'ollama-embeddings': ollamaEmbeddings,
  'gemini-embed': geminiEmbed,
} as const satisfies Record<DialectId, Dialect>
