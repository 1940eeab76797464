/**
 * Gemini's generateContent. Model and streaming stand in the path (`path.ts`); a stream is one of events, and one that is
 * a JSON array is made of it (`array.ts`).
 */
import type { ChatDialect } from '../dialect.ts'
import { glanceWith, tapWith } from '../sight.ts'
import { unsignGemini } from '../unsign.ts'
import { readError, writeError, writeStreamError } from './error.ts'
import { reader, writer } from './events.ts'
import { readReply, writeReply } from './reply.ts'
import { KNOWN, readRequest, writeRequest } from './request.ts'
import { lookAtChunk, lookAtReply } from './tap.ts'

export const gemini: ChatDialect = {
  id: 'gemini',
  op: 'chat',
  framing: 'sse',
  streamsByDefault: false,
  fields: {
    asksInPath: true,
    maxTokens: [
      'generation_config.max_output_tokens',
      'generation_config.maxOutputTokens',
      'generationConfig.max_output_tokens',
      'generationConfig.maxOutputTokens',
    ],
    choices: [
      'generation_config.candidate_count',
      'generation_config.candidateCount',
      'generationConfig.candidate_count',
      'generationConfig.candidateCount',
    ],
    required: { contents: 'any' },
    known: [...KNOWN, 'safetySettings', 'cachedContent'],
  },
  readRequest,
  unsign: unsignGemini,
  writeRequest,
  readReply,
  writeReply,
  reader,
  writer,
  writeError,
  writeStreamError,
  readError,
  // The connection's end is its end.
  streamEnd: '',
  // Google's own client takes comments for broken events.
  heartbeat: '',
  tap: () => tapWith(lookAtChunk),
  glance: (body) => glanceWith(body, lookAtReply),
}
