/** Ollama's own chat, `/api/chat`. */
import type { ChatDialect } from '../dialect.ts'
import { readAnyError } from '../failure-of.ts'
import { writeError, writeStreamError } from '../ollama/error.ts'
import { loading } from '../ollama/loading.ts'
import { lookAt } from '../ollama/tap.ts'
import { glanceWith, tapWith } from '../sight.ts'
import { CHAT_SHAPE, readerOf, writerOf } from './events.ts'
import { joinLines } from './join-lines.ts'
import { readReply, writeReply } from './reply.ts'
import { KNOWN, readRequest, writeRequest } from './request.ts'

export const ollamaChat: ChatDialect = {
  id: 'ollama-chat',
  op: 'chat',
  imagesAsBytes: true,
  framing: 'ndjson',
  streamsByDefault: true,
  fields: {
    maxTokens: ['options.num_predict'],
    zeroIsUnlimited: true,
    // Without messages it loads the model, or unloads it.
    required: { messages: 'array?' },
    known: [...KNOWN, 'keep_alive', 'truncate', 'shift'],
  },
  readRequest,
  writeRequest,
  readReply,
  writeReply,
  reader: () => readerOf(CHAT_SHAPE),
  writer: (chat, answering) => writerOf(CHAT_SHAPE, chat, answering),
  loading,
  writeError,
  writeStreamError,
  readError: readAnyError,
  streamEnd: '',
  heartbeat: '',
  tap: () => tapWith((line) => lookAt('content', line)),
  glance: (body) => glanceWith(body, (reply) => lookAt('content', reply)),
  joiner: joinLines,
}
