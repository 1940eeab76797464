/** OpenAI's chat completions, and what the many servers that speak like it say besides. */
import type { ChatDialect } from '../dialect.ts'
import { readAnyError } from '../failure-of.ts'
import { writeError, writeStreamError } from '../openai/error.ts'
import { glanceWith, tapWith } from '../sight.ts'
import { joinChunks } from './join-chunks.ts'
import { reader } from './read-events.ts'
import { readReply, writeReply } from './reply.ts'
import { KNOWN, readRequest, writeRequest } from './request.ts'
import { lookAtChunk, lookAtReply } from './tap.ts'
import { writer } from './write-events.ts'

export const openaiChat: ChatDialect = {
  id: 'openai-chat',
  op: 'chat',
  framing: 'sse',
  streamsByDefault: false,
  fields: {
    maxTokens: ['max_completion_tokens', 'max_tokens'],
    required: { messages: 'array' },
    known: [...KNOWN, 'max_completion_tokens', 'functions', 'function_call'],
  },
  readRequest,
  writeRequest,
  readReply,
  writeReply,
  reader,
  writer,
  writeError,
  writeStreamError,
  readError: readAnyError,
  streamEnd: 'data: [DONE]\n\n',
  heartbeat: ': keep-alive\n\n',
  tap: () => tapWith(lookAtChunk, '[DONE]'),
  glance: (body) => glanceWith(body, lookAtReply),
  joiner: joinChunks,
}
