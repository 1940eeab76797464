/** A kind of guard: what it is called, which settings it takes, and how one is made of them. */
import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { Secret } from '../secrets/secret.ts'
import type { Guard, GuardTools } from './guard.ts'

export interface Kind {
  kind: string
  /** Types of LiteLLM's `guardrails:` that it answers to. Their parameters are among `settings`. */
  litellm: readonly string[]
  /** Reads what the kind alone knows of `litellm_params`; modes, actions and the like are not its affair. */
  settings: z.ZodType
  /** @param settings what `settings` has read @throws Error with a sentence for the operator where no guard can be made */
  make(settings: unknown, tools: GuardTools): Guard
}

interface Definition<S extends z.ZodType> {
  kind: string
  litellm?: readonly string[]
  settings: S
  make(settings: z.output<S>, tools: GuardTools): Guard
}

export const defineKind = <S extends z.ZodType>({ kind, litellm = [], settings, make }: Definition<S>): Kind => ({
  kind,
  litellm,
  settings,
  make: (read, tools) => make(read as z.output<S>, tools),
})

/**
 * What stands for a guard's verdicts in the key of those that are kept.
 * @param revision rises with each change of the kind's code that could change a verdict
 */
export function versionOf(kind: string, revision: number, settings: unknown): string {
  // A new key of the same account changes no verdict: secrets do not count.
  const text = JSON.stringify(settings, (_key, value: unknown) => {
    if (value instanceof Secret) return undefined
    if (value instanceof Set) return [...value]
    if (value instanceof Map) return [...value]
    return value
  })
  const digest = createHash('sha256')
    .update(text ?? '')
    .digest('base64url')
    .slice(0, 16)
  return `${kind}/${revision}/${digest}`
}
