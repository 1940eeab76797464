/** Budgets in a configuration file, in the words that the routes have for them. */
import { z } from 'zod'
import { isDuration } from './duration.ts'

/** An account counts exactly up to 9 million dollars. */
const dollars = (description: string) =>
  z.number().min(0).max(9_000_000).optional().describe(`${description}, in US dollars.`)
const count = (description: string) => z.number().int().min(0).optional().describe(description)
export const period = (description: string) =>
  z.string().refine(isDuration, 'must be a duration such as `1h`, `1d`, `7d` or `1mo`').optional().describe(description)

const limit = z.strictObject({
  max_budget: dollars('What may be spent in a `budget_duration`'),
  budget_duration: period('When it begins anew: `1h`, `1d`, `7d`, `1mo`. Default: never.'),
})

/** LiteLLM has two words for each. */
const window = limit.extend({
  budget_limit: dollars("LiteLLM's other word for `max_budget`"),
  time_period: period("LiteLLM's other word for `budget_duration`."),
})

const bounds = {
  max_budget: dollars('What may be spent in a `budget_duration`'),
  soft_budget: dollars('From which amount on it is warned of'),
  budget_duration: period('When it begins anew: `1h`, `1d`, `7d`, `1mo`; by the calendar. Default: never.'),
  budget_limits: z.array(limit).optional().describe('Further budgets beside it: `[{ max_budget, budget_duration }]`.'),
  model_max_budget: z
    .record(z.string(), z.union([z.number().min(0), window]))
    .optional()
    .describe('Budgets of single models or patterns: `{ gpt-4o: { max_budget: 5, budget_duration: 1d } }`.'),
  budget_mode: z
    .enum(['cap', 'strict', 'soft'])
    .optional()
    .describe('What happens at its end. Default: `tollgate.budget_mode`.'),
  budget_id: z
    .string()
    .min(1)
    .optional()
    .describe('The shared budget (`/budget/new`) that stands in for what is not said.'),
}

/** A scope's budget. */
export const budget = z.strictObject(bounds)

/** Scope → budget. */
export const windows = (description: string) => z.record(z.string(), window).optional().describe(description)

export const newKeys = z
  .strictObject({
    ...bounds,
    models: z.array(z.string()).optional().describe('Aliases and patterns that it may use. Default: all.'),
    rpm_limit: count('Requests a minute.'),
    tpm_limit: count('Tokens a minute.'),
    max_parallel_requests: count('Requests at one time.'),
    duration: period('How long it lives. Default: for ever.'),
    team_id: z.string().optional().describe('The team that it belongs to.'),
    tags: z.array(z.string()).max(10).optional().describe('Tags of all of its requests.'),
    metadata: z.record(z.string(), z.unknown()).optional().describe('Anything of your own.'),
  })
  .optional()
  .describe('What a new key is where `/key/generate` does not say it.')

export const keyBounds = z
  .strictObject({
    max_budget: dollars('The most that it may spend'),
    budget_duration: period('The longest time in which its budget may begin anew.'),
    rpm_limit: count('The most requests a minute.'),
    tpm_limit: count('The most tokens a minute.'),
    max_parallel_requests: count('The most requests at one time.'),
    duration: period('The longest life.'),
  })
  .optional()
  .describe('How much a key may be: more is refused, and a new key that says nothing gets just this.')
