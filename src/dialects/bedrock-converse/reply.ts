/** A whole answer of Converse. */
import type { Json, Reply } from '../canonical.ts'
import type { Sight } from '../dialect.ts'
import { glanceWith } from '../sight.ts'
import { badReply, defined, isObject } from '../wire.ts'
import { readContent } from './content.ts'
import { readFinish } from './finish.ts'
import { readUsage } from './usage.ts'

const messageIn = (body: Json): Json | undefined =>
  isObject(body.output) && isObject(body.output.message) ? body.output.message : undefined

/** It carries neither id nor time nor model. */
export function readReply(body: Json): Reply {
  const message = messageIn(body)
  if (!message) throw badReply('The answer holds no message.')
  const parts = readContent(message.content)
  const choice = { index: 0, parts, finish: readFinish(body.stopReason) }
  return defined<Reply>({
    id: '',
    model: '',
    created: 0,
    choices: [defined<Reply['choices'][number]>(choice as Reply['choices'][number])],
    usage: readUsage(body.usage, body.serviceTier),
  } as Reply)
}

export const glance = (body: string): Sight =>
  glanceWith(body, (reply) =>
    messageIn(reply)
      ? {
          content: true,
          finished: readFinish(reply.stopReason) !== undefined,
          end: true,
          usage: readUsage(reply.usage, reply.serviceTier),
        }
      : undefined,
  )
