/** `router_settings`: how a target is chosen, and what follows its failure. */
import { z } from 'zod'
import { windows } from './budget.ts'
import { fallbackList, maxFallbacks, retries, seconds } from './words.ts'

/** LiteLLM's strategies and two of ours. `lar1` is not built: it is warned of, and `simple-shuffle` stands in. */
export const STRATEGY_WORDS = [
  'simple-shuffle',
  'usage-based-routing',
  'usage-based-routing-v2',
  'least-busy',
  'latency-based-routing',
  'cost-based-routing',
  'lowest-queue',
  'sticky',
  'lar1',
] as const

/** LiteLLM's; what the others do, strategies and conditions do here. */
export const PRE_CALL_CHECKS = [
  'enforce_model_rate_limits',
  ...(['prompt_caching', 'router_budget_limiting', 'responses_api_deployment_check', 'deployment_affinity'] as const),
  ...(['session_affinity', 'forward_client_headers_by_model_group', 'encrypted_content_affinity'] as const),
] as const

const number = (description: string) => z.number().int().min(0).max(20).optional().describe(description)

/** LiteLLM's classes of failures. */
const CLASSES = [
  ...['BadRequestError', 'AuthenticationError', 'TimeoutError', 'RateLimitError', 'ContentPolicyViolationError'],
  ...['InternalServerError', 'ServiceUnavailableError', 'NotFoundError'],
]
const CLASSES_ALLOWED = [...CLASSES, 'BadGatewayError'].map((name) => `${name}AllowedFails`)

const retryPolicy = (description: string) =>
  z
    .strictObject(
      Object.fromEntries([...CLASSES, 'Default'].map((name) => [`${name}Retries`, number(`Of this class.`)])),
    )
    .optional()
    .describe(description)

export const routerSettings = z
  .strictObject({
    routing_strategy: z
      .enum(STRATEGY_WORDS)
      .optional()
      .describe(
        'How one of several targets is chosen: `simple-shuffle` by weight and lot, `usage-based-routing` (and `-v2`) the least used of the last minute, `least-busy` the fewest requests under way, `latency-based-routing` the soonest done, `cost-based-routing` the cheapest, `lowest-queue` the shortest wait for a slot, `sticky` the same one for the same session. Default: `simple-shuffle`.',
      ),
    num_retries: retries('Further attempts after the first. Default: 2.'),
    retry_after: z
      .number()
      .min(0)
      .max(60)
      .optional()
      .describe('The least wait before another attempt at the same target, in seconds. Default: 0.'),
    retry_policy: retryPolicy(
      'Further attempts at a target by the class of its failure; `num_retries` for the others.',
    ),
    model_group_retry_policy: z
      .record(z.string(), retryPolicy('Of this alias.').unwrap())
      .optional()
      .describe('The same for some aliases: `{ my-model: { TimeoutErrorRetries: 1 } }`.'),
    timeout: seconds('The longest that a whole request may take.', '600'),
    stream_timeout: seconds('The longest until the first content arrives.', '`tollgate.timeouts.first_byte`'),
    allowed_fails: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Failures a minute that a target may have before it cools down. Default: 3.'),
    allowed_fails_policy: z
      .strictObject(Object.fromEntries(CLASSES_ALLOWED.map((word) => [word, number(`Of this class.`)])))
      .optional()
      .describe(
        'Failures a minute of each class that a target may have before it cools down; `allowed_fails` for the others.',
      ),
    disable_cooldowns: z.boolean().optional().describe('No target ever cools down. Default: false.'),
    cooldown_time: seconds('How long a target that failed too often is left alone.', '5'),
    fallbacks: fallbackList(
      'Aliases to try when every target of an alias has failed: `[{ "gpt-4o": ["claude"] }]`. `"*"` stands for every alias without a line of its own.',
    ),
    default_fallbacks: z
      .array(z.string())
      .optional()
      .describe('Aliases to try for every alias that has no line of its own in `fallbacks`.'),
    optional_pre_call_checks: z
      .array(z.enum(PRE_CALL_CHECKS))
      .optional()
      .describe(
        'With `enforce_model_rate_limits` no target is asked beyond its `rpm` and `tpm`: the next one is, and where all are at theirs the caller gets a 429 with `Retry-After`. Otherwise they only say who is asked first.',
      ),
    enable_pre_call_checks: z
      .boolean()
      .optional()
      .describe(
        'Keeps targets to their `rpm` and `tpm`, as `optional_pre_call_checks: [enforce_model_rate_limits]` does. A prompt that is too long for a target is not sent there in any case. Default: false.',
      ),
    enable_tag_filtering: z
      .boolean()
      .optional()
      .describe(
        'Choose targets by the tags of a request (`x-litellm-tags`, `metadata.tags`, those of its key). Who has none goes to targets tagged `default`, else to those without tags. Default: false.',
      ),
    tag_filtering_match_any: z
      .boolean()
      .optional()
      .describe('One common tag is enough; otherwise a target needs all of the request. Default: true.'),
    provider_budget_config: windows(
      'What may be spent at a provider: `{ openai: { budget_limit: 100, time_period: 1d } }`. One that is spent is passed over for the next target.',
    ),
    context_window_fallbacks: fallbackList(
      'Aliases to try when a prompt does not fit: `[{ small: [large] }]`. They come before `fallbacks`.',
    ),
    content_policy_fallbacks: fallbackList(
      'Aliases to try when a prompt is refused for what it says. Without one the refusal goes to the caller.',
    ),
    max_fallbacks: maxFallbacks,
    model_group_alias: z
      .record(
        z.string(),
        z.union([
          z.string(),
          z.strictObject({
            model: z.string().describe('The alias that is meant.'),
            hidden: z.boolean().optional().describe('Works, and is not listed. Default: false.'),
          }),
        ]),
      )
      .optional()
      .describe('Other names for aliases: `{ gpt-4: my-model }`, or `{ gpt-4: { model: my-model, hidden: true } }`.'),
  })
  .describe('How a target is chosen, and what follows its failure.')
