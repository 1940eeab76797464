/** Bedrock's Converse, as it is asked: nobody calls a gateway in it. */
import type { ChatTarget } from '../dialect.ts'
import { ID } from './content.ts'
import { readError } from './error.ts'
import { reader } from './events.ts'
import { glance, readReply } from './reply.ts'
import { writeRequest } from './request.ts'

export const bedrockConverse: ChatTarget = {
  id: ID,
  op: 'chat',
  imagesAsBytes: true,
  framing: 'eventstream',
  writeRequest,
  readReply,
  reader,
  readError,
  glance,
}
