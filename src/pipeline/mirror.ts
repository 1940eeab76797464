/**
 * A copy of some requests for another alias, to see how it would do: nobody waits for it, nobody gets its answer, and
 * the gateway pays for it, with the tag `mirror`.
 */
import { EVERYTHING } from '../core/access.ts'
import { plan as decide } from '../core/plan.ts'
import { MASTER } from '../core/principal.ts'
import { NOBODY, type Payer } from '../core/scope.ts'
import { peek } from '../dialects/peek.ts'
import { splice } from '../dialects/splice.ts'
import { attempt } from './attempt.ts'
import { Call } from './call.ts'
import { deliver } from './deliver.ts'
import type { Io } from './io.ts'
import { isLocalOnly } from './narrow.ts'
import { refuse } from './refuse.ts'

/** What pays for copies: a budget of this tag bounds them. */
const MIRROR: Payer = { ...NOBODY, tags: ['mirror'] }
/** More copies at once are not made: a copy must never be what slows the gateway down. */
const MOST = 32

let underWay = 0

/** Starts a copy where the alias has one and the lot falls on this request. Never throws, never waits. */
export function mirror(call: Call, io: Io): void {
  const { snapshot, door, peek: original } = call
  const wanted = snapshot.mirrors.get(call.stages[0]?.alias ?? original.model)
  if (!wanted || underWay >= MOST || io.random() >= wanted.share) return
  // Files, conversations and what is kept for its caller are not copied; what must stay in the house is not sent twice.
  if (call.form || (door.dialect.op !== 'chat' && door.dialect.op !== 'embed') || isLocalOnly(call)) return
  underWay++
  copy(call, io, wanted.to)
    .catch(() => undefined)
    .finally(() => underWay--)
}

async function copy(of: Call, io: Io, to: string): Promise<void> {
  const { dialect, said } = of.door
  const door = { dialect, call: 'mirror', ...(said ? { said: { ...said, model: to } } : {}) }
  const call = new Call(
    io.ledger.nextOperation(),
    io.now(),
    new Request('http://mirror/', { method: 'POST' }),
    door,
    of.snapshot,
  )
  try {
    call.who = MASTER
    call.payer = MIRROR
    // Where it has to wait for a machine of the house, nobody waits for it.
    call.wishes = { priority: 'batch' }
    call.bytes = dialect.fields.asksInPath ? of.bytes : splice(of.bytes, { model: to }, of.peek.scan)
    call.peek = peek(call.bytes, dialect, door.said)
    call.stages = decide(call.snapshot, to, EVERYTHING)
    await attempt(call, io)
    await deliver(call, io).body?.pipeTo(new WritableStream())
  } catch (cause) {
    await refuse(call, io, cause).body?.cancel()
  }
}
