/** Requests that the gateway makes itself: they go the way of every other one, and a tag pays for them. */
import { MASTER } from '../core/principal.ts'
import { NOBODY } from '../core/scope.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Stage } from '../core/stage.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { type PathSaid, peek } from '../dialects/peek.ts'
import { attempt } from './attempt.ts'
import { Call } from './call.ts'
import { deliver } from './deliver.ts'
import type { Io } from './io.ts'
import { refuse } from './refuse.ts'
import type { Wishes } from './wishes.ts'

export interface Own {
  /** The tag that pays, and its name in the ledger. */
  name: 'mirror' | 'health_check' | 'semantic_cache' | 'guardrail'
  dialect: Dialect
  said?: PathSaid | undefined
  bytes: Uint8Array
  stages: readonly Stage[]
  wishes: Wishes
  snapshot: Snapshot
  signal?: AbortSignal | undefined
}

/** Asks, and hears the answer to its end. Never rejects. @returns the status that a caller would have had */
export async function askOurselves(io: Io, own: Own): Promise<number> {
  const response = await responseTo(io, own)
  if (response.status === 200) await response.body?.pipeTo(new WritableStream()).catch(() => undefined)
  else await response.body?.cancel()
  return response.status
}

/** The answer, which has to be read or cancelled. Never rejects. */
export async function responseTo(io: Io, own: Own): Promise<Response> {
  const { name, dialect, said, signal } = own
  const door = { dialect, call: name, own: name, ...(said ? { said } : {}) }
  const request = new Request(`http://${name}/`, { method: 'POST', ...(signal ? { signal } : {}) })
  const call = new Call(io.ledger.nextOperation(), io.now(), request, door, own.snapshot)
  try {
    call.who = MASTER
    call.payer = { ...NOBODY, tags: [name] }
    call.wishes = own.wishes
    call.bytes = own.bytes
    call.received = own.bytes
    call.peek = peek(call.bytes, dialect, said)
    call.stages = own.stages
    await attempt(call, io)
    return deliver(call, io)
  } catch (cause) {
    return refuse(call, io, cause)
  }
}
