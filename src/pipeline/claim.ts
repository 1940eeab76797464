/** What an attempt needs before it is sent: a slot where its target has slots, and the money. */
import { estimate } from '../core/estimate.ts'
import type { Ask } from '../core/ledger.ts'
import type { Price } from '../core/price.ts'
import type { Target } from '../core/target.ts'
import { textBytes } from '../dialects/multipart.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Call } from './call.ts'
import type { Choosing } from './choosing.ts'
import { drop } from './conclude.ts'
import type { Io } from './io.ts'
import { heardTokens, loadsFor } from './loads.ts'
import { overflowPayer, spillMs } from './overflow.ts'
import { inTurn } from './queue.ts'
import { takeRoom } from './room.ts'
import { type Special, setAside } from './set-aside.ts'

/**
 * The hold of an attempt, in a slot where there are slots: at the chosen target or at a peer of it that was free sooner.
 * Undefined where others have come first to what is left of the target's limits.
 * @throws Refusal where there is no slot or no money
 */
export async function claim(call: Call, io: Io, way: Choosing, chosen: Target): Promise<OpenHold | undefined> {
  const hold = await claimed(call, io, way, chosen)
  if (takeRoom(io, way.wanted, hold)) return hold
  drop(io, hold)
  way.comesBack(hold.attempt.target)
  return undefined
}

async function claimed(call: Call, io: Io, way: Choosing, chosen: Target): Promise<OpenHold> {
  if (!chosen.local) {
    const payer = overflowPayer(call, io, chosen, way.tried)
    return await holdFor(call, io, chosen, payer && { payer })
  }
  const spill = spillMs(call, io, way.tried, way.wanted)
  const hold = await inTurn(call, io, chosen, way.peers, spill, (target, special) => holdFor(call, io, target, special))
  way.taken(hold.attempt.target)
  return hold
}

/** The money for one attempt at `target`. @throws Refusal */
const holdFor = (call: Call, io: Io, target: Target, special?: Special): Promise<OpenHold> =>
  setAside(call, io, target, asking(call, io, target), special)

/** What is asked of the ledger for one attempt at `target`; read anew each time it is decided. */
export function asking(call: Call, io: Io, target: Target): (price: Price) => Ask {
  const { experience } = io.state(target)
  // A file in a form is no text: what it costs is not counted by its bytes.
  const bytes = call.form ? textBytes(call.form) : call.bytes.byteLength
  const n = call.peek.n ?? 1
  const asked = /^(embed|rerank)$/.test(call.door.dialect.op) ? 0 : call.peek.maxTokens
  return (price) => {
    const tokens = estimate(experience, bytes, asked, n, target, loadsFor(call, price, target, experience))
    const heard = heardTokens(call, price)
    if (!heard) return { price, tokens }
    const inputLikely = tokens.inputLikely + heard.likely
    return {
      price,
      tokens: { ...tokens, inputMost: Math.max(tokens.inputMost + heard.most, inputLikely), inputLikely },
    }
  }
}
