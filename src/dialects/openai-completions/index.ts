/** OpenAI's older completions. */
import type { ChatDialect } from '../dialect.ts'
import { readAnyError } from '../failure-of.ts'
import { writeError, writeStreamError } from '../openai/error.ts'
import { glanceWith, tapWith } from '../sight.ts'
import { lookAt, reader, writer } from './events.ts'
import { readReply, writeReply } from './reply.ts'
import { KNOWN, readRequest, writeRequest } from './request.ts'

export const openaiCompletions: ChatDialect = {
  id: 'openai-completions',
  op: 'chat',
  framing: 'sse',
  streamsByDefault: false,
  fields: { maxTokens: ['max_tokens'], leastTokens: 0, required: { prompt: 'any' }, known: KNOWN },
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
  tap: () => tapWith((chunk) => lookAt(chunk, false), '[DONE]'),
  glance: (body) => glanceWith(body, (reply) => lookAt(reply, true)),
}
