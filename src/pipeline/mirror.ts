/**
 * A copy of some requests for another alias, to see how it would do: nobody waits for it, nobody gets its answer, and
 * the gateway pays for it, with the tag `mirror`.
 */
import { EVERYTHING } from '../core/access.ts'
import { plan as decide } from '../core/plan.ts'
import type { Json } from '../dialects/canonical.ts'
import { splice } from '../dialects/splice.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { isLocalOnly } from './narrow.ts'
import { askOurselves } from './own.ts'

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

/** As it goes out, which a guardrail may have changed. */
function bytesFor(of: Call, to: string): Uint8Array {
  const { dialect } = of.door
  if (of.isRewritten && of.canonical && 'writeRequest' in dialect) {
    const write = dialect.writeRequest as (asked: unknown, warn: () => void) => Json
    return new TextEncoder().encode(JSON.stringify(write({ ...of.canonical, model: to }, () => {})))
  }
  return dialect.fields.asksInPath ? of.bytes : splice(of.bytes, { model: to }, of.peek.scan)
}

async function copy(of: Call, io: Io, to: string): Promise<void> {
  const { dialect, said } = of.door
  await askOurselves(io, {
    name: 'mirror',
    dialect,
    said: said && { ...said, model: to },
    bytes: bytesFor(of, to),
    stages: decide(of.snapshot, to, EVERYTHING),
    // Where it has to wait for a machine of the house, nobody waits for it.
    wishes: { priority: 'batch' },
    snapshot: of.snapshot,
  })
}
