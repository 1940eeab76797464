/** Anthropic's messages. */
import type { ChatDialect } from '../dialect.ts'
import { readAnyError } from '../failure-of.ts'
import { glanceWith, tapWith } from '../sight.ts'
import { unsignAnthropic } from '../unsign.ts'
import { disown } from './citations.ts'
import { writeError, writeStreamError } from './error.ts'
import { reader } from './read-events.ts'
import { readReply, writeReply } from './reply.ts'
import { KNOWN, readRequest, writeRequest } from './request.ts'
import { lookAtReply, looker } from './tap.ts'
import { writer } from './write-events.ts'

export const anthropic: ChatDialect = {
  id: 'anthropic',
  passes: ['anthropic-version', 'anthropic-beta'],
  op: 'chat',
  framing: 'sse',
  streamsByDefault: false,
  fields: {
    maxTokens: ['max_tokens'],
    // 0 fills the prompt cache without an answer.
    leastTokens: 0,
    required: { messages: 'array' },
    known: [...KNOWN, 'thinking', 'output_config', 'thread', 'container', 'mcp_servers'],
  },
  readRequest,
  unsign: unsignAnthropic,
  disown: { marks: ['"encrypted_index":""', '"encrypted_index": ""'], from: disown },
  writeRequest,
  readReply,
  writeReply,
  reader,
  writer,
  writeError,
  writeStreamError,
  readError: readAnyError,
  streamEnd: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  heartbeat: 'event: ping\ndata: {"type":"ping"}\n\n',
  tap: () => tapWith(looker()),
  glance: (body) => glanceWith(body, lookAtReply),
}
