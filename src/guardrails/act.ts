/** What a guard's word comes to, as the operator wants it. Pure. */
import type { Finding, Look } from './guard.ts'
import type { Looked, Rail } from './rail.ts'
import type { Mode, OnFlagged } from './terms.ts'
import type { Status } from './verdict.ts'

export function statusOf(rail: Rail, look: Looked['look'], isError: boolean, mode: Mode): Status {
  if (isError) return 'error'
  if (!look) return 'not_run'
  if (!look.flagged) return 'passed'
  if (mode === 'logging_only') return 'warned'
  const actions = actionsOf(rail, look)
  if (actions.has('block')) return 'blocked'
  // A request that is on its way is not changed any more.
  if (actions.has('redact')) return mode === 'during_call' ? 'blocked' : 'redacted'
  return 'warned'
}

/** What its findings ask for, each for itself or as the guardrail has it. Who can't say where it is can't have it taken out. */
function actionsOf({ terms: { onFlagged } }: Rail, { findings }: Look): ReadonlySet<OnFlagged> {
  if (findings.length === 0) return new Set([onFlagged === 'redact' ? 'block' : onFlagged])
  return new Set(findings.map((finding) => actionOf(onFlagged, finding)))
}

/** A guardrail that only warns does nothing else, whatever its findings ask for. */
const actionOf = (onFlagged: OnFlagged, { action }: Finding): OnFlagged =>
  onFlagged === 'warn' ? 'warn' : (action ?? onFlagged)

/** Only what is to be taken out. */
export function redactable(looked: Looked): Looked {
  const { rail, look } = looked
  if (!look) return looked
  const findings = look.findings.filter((finding) => actionOf(rail.terms.onFlagged, finding) === 'redact')
  return { ...looked, look: { ...look, findings } }
}
