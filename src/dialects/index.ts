/** All dialects, by their ids. */

import { anthropic } from './anthropic/index.ts'
import { bedrockConverse } from './bedrock-converse/index.ts'
import type { DialectId, WireId } from './canonical.ts'
import { cohereChat } from './cohere-chat/index.ts'
import { cohereEmbed } from './cohere-embed/index.ts'
import type { Dialect, TargetDialect } from './dialect.ts'
import { forward } from './forward.ts'
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
import { rerank } from './rerank/index.ts'
import { cohereRerank, jinaRerank, nimRerank, sglangRerank, teiRerank, voyageRerank } from './rerank/targets.ts'
import { sagemakerChat } from './sagemaker-chat/index.ts'
import { titanEmbed } from './titan-embed/index.ts'
import { vertexEmbed } from './vertex-embed/index.ts'

/** Those that callers speak, and targets too. */
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
  'openai-moderations': forward('openai-moderations', { input: 'any' }),
  'openai-images': forward('openai-images', { prompt: 'string' }),
  'openai-image-edits': forward('openai-image-edits', { prompt: 'string' }),
  'openai-image-variations': forward('openai-image-variations', { image: 'any' }),
  'openai-speech': forward('openai-speech', { input: 'string' }),
  'openai-transcriptions': forward('openai-transcriptions', { file: 'any' }),
  'openai-translations': forward('openai-translations', { file: 'any' }),
  rerank,
} as const satisfies Record<DialectId, Dialect>

/** All that targets are asked in. */
export const targetDialects = {
  ...dialects,
  'bedrock-converse': bedrockConverse,
  'cohere-chat': cohereChat,
  'cohere-embed': cohereEmbed,
  'vertex-embed': vertexEmbed,
  'titan-embed': titanEmbed,
  'sagemaker-chat': sagemakerChat,
  'cohere-rerank': cohereRerank,
  'jina-rerank': jinaRerank,
  'voyage-rerank': voyageRerank,
  'tei-rerank': teiRerank,
  'sglang-rerank': sglangRerank,
  'nim-rerank': nimRerank,
} as const satisfies Record<WireId, TargetDialect>
