/** A cloud's model is always loaded: whoever asks for nothing but that has his answer here, for nothing. */
import { NO_USAGE } from '../core/usage.ts'
import type { Chat } from '../dialects/canonical.ts'
import type { Call } from './call.ts'
import { canonicalOf } from './compose.ts'
import { conclude } from './conclude.ts'
import type { Io } from './io.ts'

/** More than this asks for something. In bytes. */
const LONGEST = 16 * 1024

/** The answer to a request that only loads or unloads a model; undefined where one has to be asked. */
export function load(call: Call, io: Io): Response | undefined {
  const { dialect } = call.door
  if (dialect.op !== 'chat' || !dialect.loading || call.bytes.byteLength > LONGEST) return undefined
  const targets = call.stages[0]?.targets ?? []
  // A server that loads models itself is asked to.
  if (targets.some((target) => io.link(target).speaksDialect(dialect.id))) return undefined
  const chat = canonicalOf(call) as Chat
  const raw = dialect.loading(chat)
  if (!raw) return undefined
  const reply = {
    id: call.id,
    model: targets[0]?.model ?? chat.model,
    created: 0,
    choices: [{ index: 0, parts: [], finish: { unified: 'stop', raw } as const }],
  }
  const body = dialect.writeReply(reply, chat, { id: call.id, created: Math.floor(call.startedAt / 1000) })
  conclude(call, io, 200, raw, NO_USAGE, 0)
  return Response.json(body, { headers: { 'x-request-id': call.id } })
}
