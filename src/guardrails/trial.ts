/** Guardrails tried with a text of the operator's own: what each would say of it, and what would become of it. */
import { redactable, statusOf } from './act.ts'
import type { Piece } from './guard.ts'
import type { Guards } from './guards.ts'
import { findingsIn } from './rail.ts'
import { bare, merged, without } from './redact.ts'
import type { Status } from './verdict.ts'

export interface Trial {
  /** Undefined: all. */
  names: readonly string[] | undefined
  direction: 'input' | 'output'
  messages: readonly { role: Piece['role']; text: string }[]
}

export interface TrialVerdict {
  guardrail_name: string
  kind: string
  mode: readonly string[]
  status: Status
  flagged: boolean
  categories: readonly string[]
  confidence: number | null
  /** `message` counts from 0; characters of its text. */
  findings: { message: number; start: number; end: number; what: string; confidence: number }[]
  /** The texts without what would be taken out. */
  redacted: string[] | null
  ms: number
  error: string | null
}

/** Each for itself, on the same texts. */
export async function tryGuards(guards: Guards, { names, direction, messages }: Trial): Promise<TrialVerdict[]> {
  const pieces = messages.map(({ role, text }): Piece => ({ kind: 'text', role, text, choice: 0 }))
  const rails = guards.rails.filter(({ terms }) => names === undefined || names.includes(terms.name))
  const subject = { direction, pieces, model: '', whole: true }
  const looked = await guards.look(rails, subject, TENANT, new AbortController().signal)
  return looked.map((one) => {
    const { terms } = one.rail
    const { look, error } = one
    const status = statusOf(one.rail, look, error !== undefined, direction === 'input' ? 'pre_call' : 'post_call')
    const taken = redactable(one).look
    return {
      ...{ guardrail_name: terms.name, kind: terms.kind, mode: terms.modes, status, flagged: look?.flagged ?? false },
      ...{ categories: look?.categories ?? [], confidence: look?.confidence ?? null },
      findings: (look?.findings ?? []).map(({ piece, start, end, what, confidence }) => ({
        ...{ message: piece, start, end, what, confidence },
      })),
      redacted:
        status === 'redacted' && taken
          ? messages.map(({ text }, i) => without(text, merged(findingsIn(taken, i), text.length), bare))
          : null,
      ms: Math.round(one.ms * 1_000) / 1_000,
      error: error?.message ?? null,
    }
  })
}

/** Whose verdicts are kept for nobody else. */
const TENANT = 'trial'
