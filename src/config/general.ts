/** `general_settings`: the server itself. */
import { z } from 'zod'
import { ranges } from './auth.ts'
import { litellmJwtAuth } from './jwtauth.ts'

const header = (description: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9-]+$/, 'must be the name of a header: letters, digits and hyphens')
    .optional()
    .describe(description)

export const generalSettings = z
  .strictObject({
    master_key: z
      .string()
      .optional()
      .describe(
        'The key of the administrator. Begins with `sk-` and has at least 8 characters. Default: `TOLLGATE_MASTER_KEY` or `LITELLM_MASTER_KEY` of the environment, else one is made at the first start and shown once.',
      ),
    key_header: header(
      'A header of your own choosing that carries the key, beside `Authorization`, `x-api-key` and `api-key`.',
    ),
    litellm_key_header_name: header("LiteLLM's word for `key_header`."),
    alerting: z
      .array(z.string())
      .optional()
      .describe(
        'Where alerts are told, at the addresses that the environment names: `slack` (SLACK_WEBHOOK_URL), `webhook` (WEBHOOK_URL), `pagerduty` (PAGERDUTY_API_KEY). `tollgate.alerts.channels` says more.',
      ),
    alert_types: z.array(z.string()).optional().describe("Of which of LiteLLM's types alerts are told. Default: all."),
    alert_to_webhook_url: z
      .record(z.string(), z.union([z.string(), z.array(z.string())]))
      .optional()
      .describe('Addresses of webhooks by type: `{ budget_alerts: https://hooks.slack.com/… }`.')
      .meta({ examples: ['{ budget_alerts: https://hooks.slack.com/services/T/B/X }'] }),
    alerting_threshold: z
      .number()
      .positive()
      .max(86_400)
      .optional()
      .describe('From when an answer is slow, and a request hangs, in seconds. Default: 300.'),
    alerting_args: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('`budget_alert_ttl`: `tollgate.alerts.repeat`. The others have no effect, and are warned of.')
      .meta({ examples: ['{ budget_alert_ttl: 86400 }'] }),
    background_health_checks: z
      .boolean()
      .optional()
      .describe(
        'Looks at each target by itself, from time to time: by the list of models of its server, which costs nothing, or by a request to `model_info.health_check_model`. What is found down is passed over until it is found well. `GET /health` shows what was found last. Default: false.',
      ),
    health_check_interval: z
      .number()
      .min(1)
      .max(86_400)
      .optional()
      .describe('Between two such checks of a target, in seconds. What is down is looked at sooner. Default: 300.'),
    health_check_concurrency: z
      .number()
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Checks that are under way at one time. Default: 4.'),
    store_prompts_in_spend_logs: z
      .boolean()
      .optional()
      .describe(
        'Content is kept of everybody, sealed (docs/privacy.md). Default: false, of those alone whose metadata asks for it.',
      ),
    enable_jwt_auth: z.boolean().optional().describe('Whether `litellm_jwtauth` holds.'),
    litellm_jwtauth: litellmJwtAuth,
    allowed_ips: ranges("LiteLLM's word for `tollgate.allow_from.all`: addresses, and here ranges too.").optional(),
    use_x_forwarded_for: z
      .boolean()
      .optional()
      .describe('Whether `X-Forwarded-For` is believed, from `tollgate.trusted_proxies` alone. Default: it is.'),
    trusted_proxy_ranges: ranges("LiteLLM's word for `tollgate.trusted_proxies`.").optional(),
    budget_exceeded_status_code: z
      .number()
      .int()
      .min(400)
      .max(499)
      .optional()
      .describe('HTTP status of a refusal for want of budget. Default: 422.'),
  })
  .describe('The server itself.')
