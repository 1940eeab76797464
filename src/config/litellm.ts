/** `litellm_settings`: what holds for every call. */
import { z } from 'zod'
import { isZone } from '../core/zone.ts'
import { keyBounds, newKeys, period, windows } from './budget.ts'
import { cacheParams } from './cache.ts'
import { fallbackList, maxFallbacks, retries, seconds } from './words.ts'

const callbacks = (when: string) =>
  z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe(`Where ${when} are reported. No callback is built yet: each name is warned of at the start.`)

export const litellmSettings = z
  .strictObject({
    max_budget: z
      .number()
      .positive()
      .optional()
      .describe('What the whole gateway may spend in a `budget_duration`, in US dollars. Default: no limit.'),
    budget_duration: z
      .string()
      .optional()
      .describe(
        'When `max_budget` begins anew: `1h`, `1d`, `7d`, `1mo`; by the calendar of `timezone`. Default: never.',
      ),
    timezone: z
      .string()
      .refine(isZone, 'must be a time zone such as Europe/Berlin or UTC')
      .optional()
      .describe('The time zone in which days, weeks and months begin, for budgets and for reports. Default: UTC.'),
    budget_exceeded_status_code: z
      .number()
      .int()
      .min(400)
      .max(499)
      .optional()
      .describe('HTTP status of a refusal for want of budget. Default: 422.'),
    max_end_user_budget: z
      .number()
      .min(0)
      .max(9_000_000)
      .optional()
      .describe(
        'What each customer may spend who has no budget of his own, in US dollars. Default: no limit. A customer is whom a request names (`user`).',
      ),
    max_end_user_budget_id: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The shared budget (`/budget/new`) of each customer who has none of his own: each has it for himself. `max_end_user_budget` holds until it is made.',
      ),
    max_internal_user_budget: z
      .number()
      .min(0)
      .max(9_000_000)
      .optional()
      .describe('What each user may spend who has no budget of his own, in US dollars. Default: no limit.'),
    internal_user_budget_duration: period('When `max_internal_user_budget` begins anew. Default: never.'),
    tag_budget_config: windows('Budgets of tags: `{ "product:chat": { max_budget: 10, budget_duration: 1d } }`.'),
    default_key_generate_params: newKeys,
    upperbound_key_generate_params: keyBounds,
    priority_reservation: z
      .record(z.string(), z.number().min(0).max(1))
      .optional()
      .describe(
        "Priority (a key's `metadata.priority`) → the part of the gateway's and of each model's limits a minute that it is sure of: `{ interactive: 0.7, batch: 0.3 }`. What one leaves the others may use.",
      ),
    cache: z.boolean().default(false).describe('Whether answers are kept and given again: docs/cache.md.'),
    cache_params: cacheParams.prefault({}),
    num_retries: retries('Further attempts after the first. `router_settings.num_retries` wins. Default: 2.'),
    ssl_verify: z
      .string()
      .min(1)
      .optional()
      .describe(
        'A file with authorities of your own, trusted beside the public ones: `tollgate.egress.ca`, which wins. Checking can not be switched off.',
      ),
    request_timeout: seconds('The longest that a whole request may take. `router_settings.timeout` wins.', '600'),
    allowed_fails: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Failures a minute that a target may have before it cools down. `router_settings` wins. Default: 3.'),
    fallbacks: fallbackList(
      'Aliases to try when every target of an alias has failed: `[{ "gpt-4o": ["claude"] }]`. `router_settings.fallbacks` wins.',
    ),
    default_fallbacks: z
      .array(z.string())
      .optional()
      .describe('Aliases to try for every alias that has no line of its own in `fallbacks`.'),
    context_window_fallbacks: fallbackList(
      'Aliases to try when a prompt does not fit. `router_settings.context_window_fallbacks` wins.',
    ),
    content_policy_fallbacks: fallbackList(
      'Aliases to try when a prompt is refused for what it says. `router_settings.content_policy_fallbacks` wins.',
    ),
    max_fallbacks: maxFallbacks,
    drop_params: z
      .boolean()
      .optional()
      .describe(
        'Drop parameters that a provider does not know, and say so in a header, instead of refusing. Default: false.',
      ),
    cost_discount_config: z
      .record(z.string(), z.number().min(0).max(1))
      .optional()
      .describe(
        'What a provider takes off its price for you, as a share: `{ openai: 0.05 }` is 5 % off. Applied before a margin.',
      ),
    cost_margin_config: z
      .record(
        z.string(),
        z.union([
          z.number().min(-1).max(10),
          z.strictObject({
            percentage: z.number().min(-1).max(10).optional(),
            fixed_amount: z.number().min(0).max(100).optional(),
          }),
        ]),
      )
      .optional()
      .describe(
        'What you put on the price of a provider: `{ global: 0.05, openai: 0.1, anthropic: { percentage: 0.1, fixed_amount: 0.001 } }`, as a share and in US dollars a request. A line of the provider wins over `global`.',
      ),
    turn_off_message_logging: z
      .boolean()
      .optional()
      .describe(
        'No content is kept, whatever keys, teams and projects ask for. Default: false; nothing is kept that nobody asked for.',
      ),
    global_disable_no_log_param: z
      .boolean()
      .optional()
      .describe('Callers cannot keep their content out of the log with `no-log: true`. Default: false.'),
    store_audit_logs: z
      .boolean()
      .optional()
      .describe(
        'Whether what is done to the gateway is written down. It always is here, whatever this says: docs/audit.md.',
      ),
    callbacks: callbacks('requests'),
    success_callback: callbacks('requests that went well'),
    failure_callback: callbacks('requests that failed'),
  })
  .describe('What holds for every call.')
