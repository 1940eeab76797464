/** `guardrails`: what looks at requests and answers, in LiteLLM's words and some of our own. What only a kind takes stands in the kind. */
import { z } from 'zod'

const mode = z.enum(['pre_call', 'during_call', 'post_call', 'logging_only'])
const names = (description: string) => z.array(z.string().min(1)).max(10_000).optional().describe(description)

export const guardParams = z
  .strictObject({
    guardrail: z
      .string()
      .min(1)
      .describe(
        'Its kind, in our word or in LiteLLM’s: docs/guardrails.md lists them with what each takes beside these.',
      ),
    mode: z
      .union([mode, z.array(mode).min(1)])
      .describe(
        'When it looks: at the request before it is sent (`pre_call`), at the request while it is answered (`during_call`), at the answer (`post_call`), or at the request for the log alone (`logging_only`). One or a list.',
      ),
    default_on: z
      .boolean()
      .default(false)
      .describe(
        'Whether it looks at all requests. Else at those that the fields below, a key, a team, a project, a model or the request itself name it for.',
      ),
    keys: names('It looks at requests of these keys, by name (`key_alias`) or id.'),
    teams: names('It looks at requests of these teams, by id.'),
    projects: names('It looks at requests of these projects, by id.'),
    models: names('It looks at requests for these aliases; patterns (`openai/*`) too.'),
    tags: names('It looks at requests with one of these tags.'),
    on_flagged: z
      .enum(['block', 'redact', 'warn', 'local_only', 'monitor'])
      .optional()
      .describe(
        'What becomes of what it flags: refused (`block`), sent without what was found (`redact`; what says not where it is is refused), let through and told in a header and the log (`warn`; LiteLLM’s word `monitor` is the same), or kept from every cloud (`local_only`, of `pre_call`). Default: `block`; of `presidio` and `hide-secrets`, as in LiteLLM, `redact`.',
      ),
    on_error: z
      .enum(['fail_closed', 'fail_open'])
      .optional()
      .describe(
        'What becomes of it where there is no verdict: refused, or let through unseen. Default: `fail_closed`.',
      ),
    unreachable_fallback: z.enum(['fail_closed', 'fail_open']).optional().describe("LiteLLM's word for `on_error`."),
    timeout: z.number().positive().max(600).default(5).describe('The longest that one try may take, in seconds.'),
    retries: z
      .number()
      .int()
      .min(0)
      .max(10)
      .default(1)
      .describe('Further tries where the first one failed and another may help, each after twice the pause.'),
    cache: z
      .strictObject({
        ttl: z.number().positive().max(31_536_000).default(3600).describe('How long a verdict is kept, in seconds.'),
        in: z
          .enum(['memory', 'sqlite', 'redis'])
          .default('memory')
          .describe(
            'Where verdicts are kept: in memory, in the data folder, or in the Redis of `litellm_settings.cache_params`; the last two sealed.',
          ),
      })
      .optional()
      .describe('Keeps verdicts, by tenant, the text itself and all that could change them. Default: none is kept.'),
    sample: z.number().min(0).max(1).default(1).describe('The share of the requests that it looks at.'),
    roles: z
      .array(z.enum(['system', 'user', 'assistant', 'tool']))
      .min(1)
      .optional()
      .describe('Whose texts it sees. Default: all.'),
    pieces: z
      .array(z.enum(['text', 'thinking', 'refusal', 'tool_definition', 'tool_args', 'tool_result']))
      .min(1)
      .optional()
      .describe('Which texts it sees. Default: all that its kind looks at.'),
    restore: z
      .boolean()
      .optional()
      .describe(
        'What it redacts is put back into the answer, where the model repeats its placeholder. Default: false.',
      ),
    output_parse_pii: z.boolean().optional().describe("LiteLLM's word for `restore`."),
    in_house: z
      .boolean()
      .optional()
      .describe(
        'Whether its scanner may see what must not leave the house. Default: whether the address that it is asked at (`api_base`, `url`, `presidio_analyzer_api_base`) is written as a private or loopback one.',
      ),
    unseen: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe(
        'What becomes of requests that it can not look at: realtime, pass-through, files and batches, token ids.',
      ),
    stream: z
      .strictObject({
        every: z
          .number()
          .int()
          .min(50)
          .max(100_000)
          .default(400)
          .describe('Characters between two looks at a stream, of kinds that ask over the network.'),
      })
      .prefault({})
      .describe('How it looks at streams.'),
  })
  // Editors are not to strike out what only a kind takes: docs/guardrails.md has that.
  .meta({
    description: 'What it is and when it looks. What only its kind takes stands here too.',
    additionalProperties: true,
  })

const entry = z.strictObject({
  guardrail_name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._ /-]{0,99}$/, 'must be a name of letters, digits and . _ - /, at most 100')
    .describe('What requests, keys and reports call it.'),
  litellm_params: guardParams,
  guardrail_info: z.record(z.string(), z.unknown()).default({}).describe('Whatever is to be told of it in lists.'),
})

export const guardrails = z
  .array(entry)
  .max(200)
  .default([])
  .describe('What looks at requests and answers: docs/guardrails.md.')

export type GuardEntry = z.output<typeof entry>
