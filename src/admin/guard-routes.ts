/** The routes of /guardrails: what there is, trying it, and what it has done. LiteLLM's names where it has them. */
import { z } from 'zod'
import { Refusal } from '../core/refusal.ts'
import type { GuardLine } from '../guardrails/report.ts'
import type { GuardTerms } from '../guardrails/terms.ts'
import type { Trial, TrialVerdict } from '../guardrails/trial.ts'
import { readBody } from './fields.ts'

type Json = Record<string, unknown>

export interface GuardRoutes {
  list(): Json
  test(body: Json): Promise<Json>
  apply(body: Json): Promise<Json>
  report(): Json
}

interface House {
  terms: readonly GuardTerms[]
  run(trial: Trial): Promise<TrialVerdict[]>
  report(): readonly GuardLine[]
}

const text = z.string().min(1).max(1_048_576)
const name = z.string().min(1).max(100)

export const testing = z.strictObject({
  guardrail: z.union([name, z.array(name).min(1).max(200)]).optional(),
  text: text.optional(),
  messages: z
    .array(z.strictObject({ role: z.enum(['system', 'user', 'assistant', 'tool']), content: text }))
    .min(1)
    .max(1_000)
    .optional(),
  direction: z.enum(['input', 'output']).default('input'),
})

export const applying = z.strictObject({
  guardrail_name: name,
  text,
  language: z.string().nullish(),
  entities: z.array(z.string()).nullish(),
})

export function guardRoutes({ terms, run, report }: House): GuardRoutes {
  const known = terms.map((one) => one.name)
  const must = (names: readonly string[], param: string) => {
    const missing = names.find((one) => !known.includes(one))
    if (missing === undefined) return
    throw new Refusal(
      'not_found',
      `There is no guardrail '${missing}'. ${known.length > 0 ? `There are: ${known.join(', ')}.` : 'There are none here.'}`,
      { param },
    )
  }
  return {
    list: () => ({ guardrails: terms.map(shown) }),
    report: () => ({ guardrails: report() }),
    async test(body) {
      const { guardrail, text, messages, direction } = readBody(testing, body)
      if ((text === undefined) === (messages === undefined))
        throw new Refusal('invalid_request', "Say either 'text' or 'messages'.", { param: 'text' })
      const names = guardrail === undefined ? undefined : [guardrail].flat()
      if (names) must(names, 'guardrail')
      const said = messages ?? [
        { role: direction === 'input' ? ('user' as const) : ('assistant' as const), content: text ?? '' },
      ]
      const verdicts = await run({
        names,
        direction,
        messages: said.map(({ role, content }) => ({ role, text: content })),
      })
      return { verdicts }
    },
    async apply(body) {
      const { guardrail_name, text, language, entities } = readBody(applying, body)
      must([guardrail_name], 'guardrail_name')
      for (const [param, said] of Object.entries({ language, entities }))
        if (said !== undefined && said !== null && said.length > 0)
          throw new Refusal(
            'unsupported_parameter',
            `'${param}' is a setting of the guardrail here, not of a call: docs/guardrails.md.`,
            { param },
          )
      const [verdict] = await run({ names: [guardrail_name], direction: 'input', messages: [{ role: 'user', text }] })
      if (verdict?.status === 'blocked')
        throw new Refusal(
          'content_policy_violation',
          `The guardrail '${guardrail_name}' does not let this text through.`,
          {
            facts: { guardrail_name },
          },
        )
      if (verdict?.status === 'error')
        throw new Refusal('guardrail_unavailable', `The guardrail '${guardrail_name}' can't look at this now.`, {
          private: verdict.error ?? '',
        })
      return { response_text: verdict?.redacted?.[0] ?? text }
    },
  }
}

/** Nothing of its settings: they hold addresses and keys. */
const shown = ({ name, kind, modes, where, onFlagged, onError, info }: GuardTerms): Json => ({
  guardrail_name: name,
  litellm_params: {
    guardrail: kind,
    mode: modes.length === 1 ? modes[0] : modes,
    default_on: where.everywhere,
    on_flagged: onFlagged,
    on_error: onError,
  },
  guardrail_info: info,
})
