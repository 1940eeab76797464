/** `tollgate`: what LiteLLM has no word for. */
import { z } from 'zod'
import { ENVIRONMENTS } from '../core/key.ts'
import { isZone } from '../core/zone.ts'
import { admin } from './admin.ts'
import { alertSettings } from './alerts.ts'
import { accessLog, audit, contentLog, retention } from './audit.ts'
import { authSettings } from './auth.ts'
import { backends } from './backends.ts'
import { budget } from './budget.ts'
import { cacheSettings, idempotency } from './cache.ts'
import { egress } from './egress.ts'
import { hedge } from './hedge.ts'
import { limitSettings } from './limits.ts'
import { secrets } from './secrets.ts'
import { sso } from './sso.ts'
import { tls } from './tls.ts'

const secondsWith = (fallback: number, description: string) =>
  z.number().positive().max(86_400).default(fallback).describe(`${description} In seconds.`)

const timeouts = z
  .strictObject({
    connect: secondsWith(10, 'The longest until a connection stands.'),
    first_byte: secondsWith(60, 'The longest until the first content of an answer.'),
    first_byte_local: secondsWith(300, 'The same for a model that runs in the house and may have to be loaded first.'),
    body: secondsWith(120, "The longest until a caller's request has come in whole."),
    idle: secondsWith(600, 'The longest silence between two parts of a stream.'),
    total: secondsWith(
      600,
      'The longest for a whole request. `router_settings.timeout` and `litellm_settings.request_timeout` win.',
    ),
  })
  .prefault({})
  .describe('How long an upstream may take. Each stands for another fault.')

export const tollgateSettings = z
  .strictObject({
    body_limit_mb: z
      .number()
      .positive()
      .max(4096)
      .default(100)
      .describe('The largest request that is read, in megabytes (2^20 bytes).'),
    timeouts,
    secrets,
    seal_key: z
      .string()
      .min(16, 'must have at least 16 characters')
      .optional()
      .describe(
        'What is kept and secret (credentials, responses) is sealed under this key: a long random text, best from where secrets lie (`vault:…`). Default: `LITELLM_SALT_KEY`, else a key in the data folder.',
      ),
    seal_keys_before: z
      .array(z.string().min(1))
      .max(20)
      .default([])
      .describe(
        'Earlier ones, which open what they sealed until all of it is sealed anew, which happens at the start.',
      ),
    tls,
    egress,
    insecure: z
      .boolean()
      .default(false)
      .describe(
        'Listen without encryption on other addresses than the loopback, too: keys and prompts can be read on the way. For networks that are closed otherwise, and behind a proxy that ends TLS. `--insecure` and `TOLLGATE_INSECURE=true` say the same.',
      ),
    budget_mode: z
      .enum(['cap', 'strict', 'soft'])
      .default('cap')
      .describe(
        'What happens when the rest of a budget pays for fewer tokens than asked: `cap` cuts `max_tokens` to fit and says so in a header, `strict` refuses, `soft` lets it through and warns. A budget may say otherwise (`budget_mode` beside `max_budget`).',
      ),
    environment: z
      .enum(ENVIRONMENTS)
      .optional()
      .describe(
        'What this gateway is. New keys are of it unless they say otherwise, and a key of another one is refused: docs/keys.md. Default: none is said.',
      ),
    ...authSettings,
    admin,
    sso,
    audit,
    retention,
    access_log: accessLog,
    content_log: contentLog,
    limits: limitSettings,
    budgets: z
      .record(z.string(), budget)
      .optional()
      .describe(
        'Budgets by scope: `{ gateway: …, "model:gpt-4o": …, "provider:openai": …, "team:red": … }`, each with `max_budget`, `soft_budget`, `budget_duration`, `budget_limits`, `model_max_budget`, `budget_mode` or `budget_id`. One that is made by a route wins.',
      ),
    budget_warn_at: z
      .array(z.number().positive().max(10))
      .max(20)
      .default([0.5, 0.8, 0.95, 1])
      .describe('Shares of a budget at which a warning is given, once in each of its windows. 0.8 is at 80 %.'),
    timezone: z
      .string()
      .refine(isZone, 'must be a time zone such as Europe/Berlin or UTC')
      .default('UTC')
      .describe(
        'The time zone in which days, weeks and months begin, for budgets and for reports. `litellm_settings.timezone` wins.',
      ),
    budget_wait: z
      .number()
      .min(0)
      .max(3600)
      .default(60)
      .describe('How long a request waits for money that others hold, in seconds. 0: it is refused at once.'),
    unpriced: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe('Whether a caller with a budget may use a model whose price nobody knows.'),
    midstream: z
      .enum(['continue', 'restart', 'error'])
      .default('continue')
      .describe(
        'What becomes of an answer that breaks off in the middle: `continue` gives another target what was said as the beginning of its answer, where one takes that (models of Ollama whose template does, and those with `model_info.supports_assistant_prefill`); `restart` asks another one anew and goes on where it has said the same; `error` tells the caller. What cannot be right (half a tool call, signed thinking) is always told.',
      ),
    watch_whole: z
      .enum(['local', 'always', 'never'])
      .default('local')
      .describe(
        'Of which targets an answer that is not a stream is asked for as one and put together, so that silence is seen, where another target could answer: machines in the house (`local`), all that speak OpenAI’s chat or Ollama’s (`always`), or none (`never`).',
      ),
    least_tokens_per_second: z
      .number()
      .min(0)
      .max(1_000)
      .default(0)
      .describe(
        'A stream that is slower than this for 5 seconds has failed, where somebody else could answer: it goes on there, and its target cools down. 0: however slow.',
      ),
    alerts: alertSettings,
    cache: cacheSettings,
    idempotency,
    hedge: hedge
      .default('off')
      .describe(
        'Whether a second target of the same alias is asked where the first one is slow: `off`, `p95` (it has given no content for as long as 95 of 100 of its answers took lately), or `{ after: p95, most: 0.1 }`, where `after` may also be seconds, and `most` is the share of the requests that may be asked twice. The first to give content answers, the other one is given up; the caller pays for one. An alias may say otherwise (`hedge` beside `litellm_params`).',
      ),
    log: z
      .enum(['auto', 'json', 'pretty'])
      .default('auto')
      .describe('The form of the log. `auto`: pretty on a terminal, JSON elsewhere.'),
    local_only_tags: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Requests with one of these tags are answered by targets in the house only. A key whose metadata says `data_class: local-only` is held to it always.',
      ),
    ...backends,
    heartbeat: z
      .number()
      .min(0)
      .max(3600)
      .default(15)
      .describe('A silent stream gets a comment this often, so that nothing on the way cuts it. In seconds; 0: never.'),
    image_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Private hosts (`name` or `name:port`) from which images may be fetched that callers name by URL. Public ones always may; others never.',
      ),
    image_max_mb: z
      .number()
      .positive()
      .max(100)
      .default(20)
      .describe('The largest image that is fetched for a model that takes only bytes, in megabytes (2^20 bytes).'),
    keep_responses: z
      .number()
      .min(0)
      .max(365)
      .default(30)
      .describe(
        'How long a response of /v1/responses is kept for `previous_response_id`, sealed, in days (where its caller does not say `store: false`). 0: none is kept.',
      ),
    keep_charges: z
      .number()
      .int()
      .min(0)
      .max(36_500)
      .default(0)
      .describe(
        'How long single charges are kept, in whole days; what they add up to by day is kept for ever. 0: for ever too.',
      ),
    shutdown_grace: z
      .number()
      .min(0)
      .max(3600)
      .default(30)
      .describe('How long a stop waits for what is in flight, in seconds.'),
  })
  .describe('What LiteLLM has no word for.')
