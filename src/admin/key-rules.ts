/** What the configuration says of new keys: what they are where nothing is said, and how much they may be. */
import { expiryAfter, parsePeriod } from '../core/period.ts'
import { Refusal } from '../core/refusal.ts'
import { isEmpty } from './fields.ts'

type Fields = Readonly<Record<string, unknown>>

export interface KeyRules {
  /** `default_key_generate_params`, in LiteLLM's words. */
  defaults: Fields
  /** `upperbound_key_generate_params`, in LiteLLM's words: numbers and durations. */
  bounds: Readonly<Record<string, number | string>>
}

/** What a shared budget says, too: who asks for one does not mean the usual amounts over it. */
const AMOUNTS = ['max_budget', 'soft_budget', 'budget_duration', 'budget_limits', 'model_max_budget']

/** A body of /key/generate with what it does not say. LiteLLM's clients say null for that, and []. */
export function withDefaults({ defaults }: KeyRules, body: Fields): Fields {
  const hasShared = !isEmpty(body.budget_id)
  const hasOwn = !isEmpty(body.max_budget)
  const usual = Object.entries(defaults).filter(([field]) =>
    hasShared ? !AMOUNTS.includes(field) : !(hasOwn && field === 'budget_id'),
  )
  return filled(body, Object.fromEntries(usual))
}

/**
 * The fields, held to the bounds. @param shared the budget that the key has by its id, in the same words
 * @param isNew a new key that says nothing gets the bound itself; a change may only not go beyond it
 * @throws Refusal invalid_request
 */
export function heldTo<T extends object>({ bounds }: KeyRules, asked: T, shared: Fields, isNew: boolean): T {
  const said = asked as Fields
  const missing: Record<string, unknown> = {}
  for (const [field, bound] of Object.entries(bounds)) {
    const value = isEmpty(said[field]) && !isEmpty(shared[field]) ? shared[field] : said[field]
    if (isNew && isEmpty(value)) missing[field] = bound
    else if (value !== undefined && sizeOf(value) > sizeOf(bound))
      throw new Refusal(
        'invalid_request',
        `${field}: may be ${bound} at most (litellm_settings.upperbound_key_generate_params), not ${value === null ? 'without an end' : value}.`,
        { param: field },
      )
  }
  return filled(said, missing) as T
}

/** A duration is no use where there is nothing that it bounds. */
function filled(said: Fields, others: Fields): Fields {
  const all = { ...said }
  for (const [field, value] of Object.entries(others)) if (isEmpty(all[field])) all[field] = value
  if (isEmpty(said.budget_duration) && isEmpty(all.max_budget) && isEmpty(all.soft_budget)) delete all.budget_duration
  return all
}

/** To be compared: amounts as they are, durations in ms; what is cleared has no end. */
function sizeOf(value: unknown): number {
  if (typeof value === 'number') return value
  const period = typeof value === 'string' ? parsePeriod(value) : undefined
  return period ? expiryAfter(period, 0) : Number.POSITIVE_INFINITY
}
