/**
 * Guardrails before a request: those that look at it before it is sent may refuse it, take something out of it or keep it
 * in the house; those that look beside it begin here. Costs nothing where none looks.
 */
import { Refusal } from '../core/refusal.ts'
import type { Piece } from '../guardrails/guard.ts'
import { findingsIn, type Looked, type Rail } from '../guardrails/rail.ts'
import { asName, bare, merged, without } from '../guardrails/redact.ts'
import { placeholdersIn } from '../guardrails/vault.ts'
import type { View } from '../guardrails/view.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { isLocalOnly, narrow } from './narrow.ts'
import { blocked, Screening } from './screening.ts'
import { type Seen, seenOf } from './seen.ts'
import { lookingAt } from './whose-guards.ts'

/** @throws Refusal content_policy_violation, guardrail_unavailable; invalid_request where a guardrail is named that is not there */
export function screen(call: Call, io: Io): Promise<void> | undefined {
  const rails = lookingAt(call, io)
  if (rails.length === 0) return undefined
  call.screening = new Screening(call, io, rails)
  call.guardMark = call.screening.mark
  return run(call, call.screening, io)
}

async function run(call: Call, screening: Screening, io: Io): Promise<void> {
  const seen = seenOf(call)
  if (seen.isTwofold) seen.changed()
  const before = mayBeAsked(call, screening, screening.in('pre_call'), 'pre_call')
  const beside = screening.in('during_call')
  if (seen.view().isHidden) mustSeeAll([...before, ...beside])
  const homely = before.filter(({ terms }) => terms.onFlagged === 'local_only')
  if (homely.length > 0) {
    const view = seen.view()
    const { isLocal, redact } = screening.decide(await look(screening, homely, view, call), 'pre_call')
    if (isLocal) keepHome(call, io)
    if (redact.length > 0) rewrite(call, screening, seen, view, redact)
  }
  // One after the other: each sees what the one before it has left.
  for (const rail of before) {
    if (rail.terms.onFlagged !== 'redact' || notHere(call, screening, rail, 'pre_call')) continue
    const view = seen.view()
    const { redact } = screening.decide(await look(screening, [rail], view, call), 'pre_call')
    if (redact.length > 0) rewrite(call, screening, seen, view, redact)
  }
  const others = before.filter(
    (rail) =>
      (rail.terms.onFlagged === 'block' || rail.terms.onFlagged === 'warn') &&
      !notHere(call, screening, rail, 'pre_call'),
  )
  if (others.length > 0) {
    const view = seen.view()
    const { redact } = screening.decide(await look(screening, others, view, call), 'pre_call')
    if (redact.length > 0) rewrite(call, screening, seen, view, redact)
  }
  startBeside(call, screening, mayBeAsked(call, screening, beside, 'during_call'), seen)
  log(screening, mayBeAsked(call, screening, screening.in('logging_only'), 'logging_only'), seen.view(), call)
}

const look = (screening: Screening, rails: readonly Rail[], { pieces }: View, call: Call) =>
  screening.look(rails, { direction: 'input', pieces, model: call.peek.model, whole: true })

/** What must not leave the house is shown to nobody outside of it. @throws Refusal where it must have been seen */
function mayBeAsked(
  call: Call,
  screening: Screening,
  rails: readonly Rail[],
  mode: 'pre_call' | 'during_call' | 'logging_only',
): Rail[] {
  return rails.filter((rail) => !notHere(call, screening, rail, mode))
}

function notHere(
  call: Call,
  screening: Screening,
  rail: Rail,
  mode: 'pre_call' | 'during_call' | 'logging_only',
): boolean {
  if (rail.guard.local || rail.terms.inHouse || !isLocalOnly(call)) return false
  screening.pass(rail, mode, 'Its scanner is not in the house, which this request must not leave.')
  return true
}

/** Token ids are text to a model and none to a guard. */
function mustSeeAll(rails: readonly Rail[]): void {
  const rail = rails.find(({ terms }) => terms.unseen === 'refuse' && terms.onFlagged !== 'warn')
  if (rail)
    throw new Refusal(
      'content_policy_violation',
      `The guardrail '${rail.terms.name}' can't read token ids, and nothing goes through unseen. Send the text itself.`,
      { param: 'input', facts: { guardrail_name: rail.terms.name, guardrail_mode: 'pre_call' } },
    )
}

/** From here on no cloud is asked. @throws Refusal where nobody else is there */
function keepHome(call: Call, io: Io): void {
  const { leftOut } = call
  call.keepsHome = true
  narrow(call, io)
  call.leftOut = [...leftOut, ...call.leftOut]
}

function rewrite(call: Call, screening: Screening, seen: Seen, view: View, looked: readonly Looked[]): void {
  const { vault } = screening
  let taken: ReadonlySet<string> | undefined
  const isTaken = (placeholder: string) => {
    taken ??= new Set(view.pieces.flatMap(({ text }) => placeholdersIn(text)))
    return taken.has(placeholder)
  }
  // The last one first: what stands before it keeps its place.
  for (let i = view.pieces.length - 1; i >= 0; i--) {
    const { text } = view.pieces[i] as Piece
    const found = looked.flatMap(({ look }) => (look ? findingsIn(look, i) : []))
    if (found.length === 0) continue
    const restores = looked.some(({ rail }) => rail.terms.restore)
    const name = restores ? (value: string, what: string) => vault.hide(value, asName(what), isTaken) : bare
    const spans = merged(found, text.length).map(({ replacement, ...span }) =>
      // What is to come back has to be told from all else.
      restores || replacement === undefined ? span : { ...span, replacement },
    )
    const dropped = changed(view, i, without(text, spans, name), looked)
    if (dropped !== undefined && !call.dropped.includes(dropped)) call.dropped.push(dropped)
  }
  seen.changed()
}

/** What can't be changed without breaking it does not go out at all. */
function changed(view: View, i: number, text: string, looked: readonly Looked[]): string | undefined {
  try {
    return view.put(i, text)
  } catch {
    throw blocked(looked[0]?.rail.terms.name ?? '', 'pre_call')
  }
}

function startBeside(call: Call, screening: Screening, rails: readonly Rail[], seen: Seen): void {
  if (rails.length === 0) return
  const looks = look(screening, rails, seen.view(), call)
  if (!(looks instanceof Promise)) {
    screening.decide(looks, 'during_call')
    return
  }
  screening.beside = looks.then((looked) => {
    try {
      screening.decide(looked, 'during_call')
    } catch (cause) {
      call.leaving.revoke(Refusal.from(cause))
    }
  })
}

/** Nobody waits for it. */
function log(screening: Screening, rails: readonly Rail[], view: View, call: Call): void {
  if (rails.length === 0) return
  const looks = look(screening, rails, view, call)
  if (looks instanceof Promise) void looks.then((looked) => screening.decide(looked, 'logging_only'))
  else screening.decide(looks, 'logging_only')
}
