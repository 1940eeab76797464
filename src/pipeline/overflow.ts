/** What would be answered in the house and goes to a cloud: when it may, who pays for it, and why it did. */
import { isOpen } from '../core/breaker.ts'
import { isSaturated } from '../core/pick.ts'
import type { Payer } from '../core/scope.ts'
import type { Stage } from '../core/stage.ts'
import { hasRoom, type Wanted } from '../core/strategy.ts'
import type { Target } from '../core/target.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

/** On every charge of a request that had to leave the house: its budget bounds what that may cost. */
const TAG = 'overflow'

const locals = new WeakMap<readonly Stage[], readonly Target[]>()

/** The targets of a plan that run in the house; the same for as long as it stands. */
export function localsOf(stages: readonly Stage[]): readonly Target[] {
  let found = locals.get(stages)
  if (!found) {
    found = stages.flatMap((stage) => stage.targets.filter((t) => t.local))
    locals.set(stages, found)
  }
  return found
}

/** Targets of equal standing in the house that could answer in its place. */
export function peersOf(stages: readonly Stage[], chosen: Target, tried: ReadonlySet<string>): readonly Target[] {
  const stage = stages.find(({ targets }) => targets.includes(chosen))
  if (!stage || stage.targets.length === 1) return NOBODY_ELSE
  return stage.targets.filter((t) => t !== chosen && t.local && t.canary === 0 && !tried.has(t.id))
}

const NOBODY_ELSE: readonly Target[] = []

/**
 * Who pays for an attempt: where the house was passed over for it, with the tag `overflow` beside the others; else as
 * ever (undefined).
 */
export function overflowPayer(call: Call, io: Io, target: Target, tried: ReadonlySet<string>): Payer | undefined {
  if (target.local || localsOf(call.stages).length === 0) return undefined
  let passedOver = false
  for (const { targets } of call.stages) {
    const here = targets.includes(target)
    const house = targets.filter((t) => t.local)
    if (here ? house.some((t) => tried.has(t.id) || isOpen(io.state(t).breaker, io.now())) : house.length > 0)
      passedOver = true
    if (here) break
  }
  if (!passedOver || call.payer.tags.includes(TAG)) return undefined
  call.overflow ??= { ...call.payer, tags: [...call.payer.tags, TAG].sort() }
  return call.overflow
}

/** Why nobody of the first stage was asked: an overflow is never silent. */
export function skipped(call: Call, io: Io, wanted: Wanted): string[] {
  const now = io.now()
  const said: string[] = []
  for (const target of call.stages[0]?.targets ?? []) {
    const state = io.state(target)
    const name = `${target.provider}/${target.model}`
    if (isOpen(state.breaker, now)) said.push(`${name}: cooling down (${state.breaker.reason})`)
    else if (state.down) said.push(`${name}: down`)
    else if (!hasRoom(target, state, wanted.input + wanted.output, now)) said.push(`${name}: at its limit (rpm or tpm)`)
    else if (isSaturated(state, wanted)) said.push(`${name}: saturated (wait ${Math.round(state.waitMs / 1000)} s)`)
  }
  return said
}

/** ms that a request waits in the house before it goes to somebody else; without end where it may not, or nobody is there. */
export function spillMs(call: Call, io: Io, tried: ReadonlySet<string>, wanted: Wanted): number {
  if (wanted.spillAfterMs === undefined) return Number.POSITIVE_INFINITY
  const now = io.now()
  const others = call.stages.some(({ targets }) =>
    targets.some((t) => !t.local && !tried.has(t.id) && !isOpen(io.state(t).breaker, now)),
  )
  return others ? wanted.spillAfterMs : Number.POSITIVE_INFINITY
}

/** Without the clouds, where there is anything in the house (`cloud_overflow: never`). */
export function stayHome(stages: readonly Stage[]): readonly Stage[] {
  return localsOf(stages).length === 0 ? stages : withoutClouds(stages)
}

export function withoutClouds(stages: readonly Stage[]): readonly Stage[] {
  return stages
    .map((stage) =>
      stage.targets.every((t) => t.local) ? stage : { ...stage, targets: stage.targets.filter((t) => t.local) },
    )
    .filter((stage) => stage.targets.length > 0)
}
