/** Cohere's chat v2, as it is asked: nobody calls a gateway in it. */
import type { ChatTarget } from '../dialect.ts'
import { reader } from './events.ts'
import { ID } from './messages.ts'
import { glance, readError, readReply } from './reply.ts'
import { writeRequest } from './request.ts'

export const cohereChat: ChatTarget = {
  id: ID,
  op: 'chat',
  framing: 'sse',
  writeRequest,
  readReply,
  reader,
  readError,
  glance,
}
