/** OpenAI's Responses. What it keeps (`previous_response_id`, `conversation`, `background`) is served by the pipeline. */
import type { ChatDialect } from '../dialect.ts'
import { readAnyError } from '../failure-of.ts'
import { writeError } from '../openai/error.ts'
import { glanceWith, tapWith } from '../sight.ts'
import { unsignResponses } from '../unsign.ts'
import { writeStreamError } from './error.ts'
import { reader } from './read-events.ts'
import { readReply, writeReply } from './reply.ts'
import { KNOWN, readRequest, writeRequest } from './request.ts'
import { lookAtEvent, lookAtReply } from './tap.ts'
import { writer } from './write-events.ts'

export const openaiResponses: ChatDialect = {
  id: 'openai-responses',
  op: 'chat',
  framing: 'sse',
  streamsByDefault: false,
  fields: {
    maxTokens: ['max_output_tokens'],
    // The input may stand in a stored prompt or in the response before.
    required: {},
    known: [...KNOWN, 'text', 'reasoning', 'previous_response_id', 'conversation', 'background', 'store', 'prompt'],
  },
  readRequest,
  unsign: unsignResponses,
  writeRequest,
  readReply,
  writeReply,
  reader,
  writer,
  writeError,
  writeStreamError,
  readError: readAnyError,
  // Its last event holds the whole response: nothing that could be added would stand in for it.
  streamEnd: '',
  heartbeat: ': keep-alive\n\n',
  tap: () => tapWith(lookAtEvent, '[DONE]'),
  glance: (body) => glanceWith(body, lookAtReply),
}
