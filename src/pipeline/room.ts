/**
 * What an attempt takes of its target's `rpm` and `tpm`: counted in the moment before it is sent, since what is counted
 * later is not seen by whoever chooses meanwhile; corrected when it is known what it really was.
 */
import { Refusal } from '../core/refusal.ts'
import { hasRoom, type Wanted } from '../core/strategy.ts'
import type { Target } from '../core/target.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

interface Taken {
  at: number
  tokens: number
}

const taken = new WeakMap<OpenHold, Taken>()

/**
 * Counts an attempt that is about to be sent.
 * @returns false, and counts nothing, where limits are strict and its target has no room any more
 */
export function takeRoom(io: Io, { input, output, strict }: Wanted, hold: OpenHold): boolean {
  const { target } = hold.attempt
  const state = io.state(target)
  const [at, tokens] = [io.now(), input + output]
  if (strict && !hasRoom(target, state, tokens, at)) return false
  state.requests.add(at, 1)
  state.tokens.add(at, tokens)
  taken.set(hold, { at, tokens })
  return true
}

/** It was never sent. */
export function giveRoomBack(io: Io, hold: OpenHold): void {
  const it = taken.get(hold)
  if (!it) return
  taken.delete(hold)
  const { requests, tokens } = io.state(hold.attempt.target)
  requests.correct(it.at, io.now(), -1)
  tokens.correct(it.at, io.now(), -it.tokens)
}

/** So many tokens it really was. */
export function correctRoom(io: Io, hold: OpenHold, used: number): void {
  const { tokens } = io.state(hold.attempt.target)
  const it = taken.get(hold)
  taken.delete(hold)
  if (it) tokens.correct(it.at, io.now(), used - it.tokens)
  else tokens.add(io.now(), used)
}

/** What the caller is told where everybody who could answer is at his limits; undefined where that is not so. */
export function noRoom(call: Call, io: Io, { input, output }: Wanted, full: readonly Target[]): Refusal | undefined {
  const now = io.now()
  let soonest = Number.POSITIVE_INFINITY
  for (const target of full) {
    const { requests, tokens } = io.state(target)
    const { rpm, tpm } = target
    const byRequests = rpm > 0 ? requests.waitFor(now, rpm, 1) : 0
    const byTokens = tpm > 0 ? tokens.waitFor(now, tpm, Math.min(input + output, tpm)) : 0
    soonest = Math.min(soonest, Math.max(byRequests, byTokens))
  }
  if (full.length === 0) return undefined
  const retryAfterMs = Math.min(Math.max(soonest, 1), 60_000)
  const model = call.peek.model
  return new Refusal(
    'rate_limit_exceeded',
    `The model '${model}' is at the limits of its provider (rpm or tpm of ${full.length === 1 ? 'its target' : `all ${full.length} targets`}). ` +
      `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    { retryAfterMs, facts: { scope: `model:${model}`, limit: 'target', reset_in_ms: Math.ceil(retryAfterMs) } },
  )
}
