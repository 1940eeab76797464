import { aloud, canTell } from './aloud.ts'
import { attempt } from './attempt.ts'
import { authenticate } from './authenticate.ts'
import { recall } from './cache/recall.ts'
import { remember } from './cache/remember.ts'
import { Call } from './call.ts'
import { witness } from './content.ts'
import { deliver } from './deliver.ts'
import type { Door, Io } from './io.ts'
import { judge } from './judge.ts'
import { limit } from './limit.ts'
import { load } from './load.ts'
import { mirror } from './mirror.ts'
import { plan } from './plan.ts'
import { receive } from './receive.ts'
import { recollect } from './recollect.ts'
import { refuse } from './refuse.ts'
import { screen } from './screen.ts'

async function answered(call: Call, io: Io): Promise<Response> {
  await attempt(call, io) // the only loop: choose → queue → hold → send → classify → again | next
  await judge(call) // guardrails on a whole answer; a stream passes them as it flows
  return deliver(call, io) // relay | transcode; settles at the end of the stream
}

/** The way of a request, from its first byte to its answer: the only place where the order of things is decided. */
export async function serve(io: Io, request: Request, door: Door): Promise<Response> {
  const call = new Call(io.ledger.nextOperation(), io.now(), request, door, io.snapshot()) // all fields set at birth
  // What goes wrong lets go of everything held, and is told in the caller's dialect.
  const answer = await way(call, io).catch((cause) => refuse(call, io, cause))
  return witness(call, io, answer) // content is kept where that is asked for
}

async function way(call: Call, io: Io): Promise<Response> {
  await authenticate(call, io) // who: by a key, or in another way
  await receive(call, io) // bounded bytes → peek { model, stream, maxTokens }
  recollect(call, io) // what the caller refers to by its id
  plan(call, io) // alias → ordered targets it may use and can pay
  await limit(call, io, 'generation') // all rates and slots, in one step or none; its turn, where there are turns
  const screening = screen(call, io)
  if (screening) await screening // guardrails on the canonical form: refused, changed, or kept in the house
  const loaded = load(call, io) // Ollama's clients load models by asking for nothing
  if (loaded) return loaded
  const known = await recall(call, io) // given before, or on its way to somebody who asked the same
  if (known) return known
  mirror(call, io) // a copy for another alias, which nobody waits for
  const answer = remember(call, io, answered(call, io)) // kept for those who will ask the same
  return await (canTell(call, io) ? aloud(call, io, answer) : answer) // comments for whoever waits long for a slot
}
