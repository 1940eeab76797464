/** What a request is, for whoever decides where it may go: asked only where some target has conditions or lacks something. */
import { type Asked, narrow as decide, isConditional, type LeftOut, type Need } from '../core/conditions.ts'
import { Refusal } from '../core/refusal.ts'
import type { Stage } from '../core/stage.ts'
import type { Chat } from '../dialects/canonical.ts'
import { needOf } from '../dialects/fit.ts'
import type { Call } from './call.ts'
import { canonicalOf } from './compose.ts'
import type { Io } from './io.ts'
import { metadataOf } from './payer.ts'

/** What a key's metadata says of what its requests may hold. */
const LOCAL_ONLY = 'local-only'

/**
 * Leaves out of the plan the targets that may not or cannot take this request.
 * @throws Refusal model_not_available where none is left
 */
export function narrow(call: Call, io: Io): void {
  const { stages, snapshot } = call
  const { route } = snapshot
  const localOnly = isLocalOnly(call)
  const lacking = lackingIn(stages, call.bytes.byteLength)
  if (!localOnly && !lacking && !isConditional(stages, route)) return
  const asked: Asked = {
    payer: call.payer,
    keyName: call.who?.key?.name,
    tags: call.payer.tags,
    metadata: metadataOf(call),
    prompt: (target) => io.state(target).experience.likelyInput(call.bytes.byteLength),
    needs: lacking ? needsOf(call) : NONE,
    localOnly,
  }
  const narrowed = decide(stages, asked, route, io.now())
  call.stages = narrowed.stages
  call.leftOut = narrowed.leftOut
  if (call.stages.length === 0) throw nobodyMay(call, narrowed.leftOut)
}

/** Whether it must not leave the house. */
export function isLocalOnly({ who, payer, snapshot, keepsHome }: Call): boolean {
  if (keepsHome) return true
  if (who?.key?.metadata.data_class === LOCAL_ONLY) return true
  return snapshot.route.localTags.length > 0 && payer.tags.some((tag) => snapshot.route.localTags.includes(tag))
}

/** Whether some target cannot do something, or could be too small: the same for as long as a plan stands. */
const lacks = new WeakMap<readonly Stage[], { abilities: boolean; smallest: number }>()

function lackingIn(stages: readonly Stage[], bytes: number): boolean {
  let known = lacks.get(stages)
  if (!known) {
    const targets = stages.flatMap((stage) => stage.targets)
    known = {
      abilities: targets.length > 1 && targets.some((t) => Object.values(t.abilities).includes(false)),
      smallest:
        targets.length > 1
          ? Math.min(...targets.map((t) => t.contextTokens ?? Number.POSITIVE_INFINITY))
          : Number.POSITIVE_INFINITY,
    }
    lacks.set(stages, known)
  }
  // A token is a byte at least: what has fewer bytes fits.
  return known.abilities || bytes > known.smallest
}

const NONE = { images: false, audio: false, files: false, tools: false, schema: false }

function needsOf(call: Call): Record<Need, boolean> {
  if (call.door.dialect.op !== 'chat') return NONE
  const chat = canonicalOf(call) as Chat
  const needs = { ...NONE, tools: (chat.tools?.length ?? 0) > 0, schema: chat.format?.kind === 'schema' }
  for (const message of chat.messages)
    for (const part of message.parts) {
      const need = needOf(part)
      if (need) needs[need] = true
    }
  return needs
}

/** Told to the caller: what stands in the way, without naming targets to whoever may not know of them. */
function nobodyMay(call: Call, leftOut: readonly LeftOut[]): Refusal {
  const reasons = [...new Set(leftOut.map(({ reason }) => reason))].slice(0, 5).join('; ')
  return new Refusal('no_target', `No target of '${call.peek.model}' takes this request: ${reasons}.`, {
    param: 'model',
  })
}
