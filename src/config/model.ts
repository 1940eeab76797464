/** `model_list`: what callers may ask for and what answers it, in LiteLLM's words. */
import { z } from 'zod'
import { hedge } from './hedge.ts'
import { prices } from './price.ts'
import { count, DAYS, seconds, text } from './words.ts'

/** Parameters that a request gets unless the caller gives his own; OpenAI's words. */
const sampling = {
  temperature: z
    .number()
    .min(0)
    .max(2)
    .optional()
    .describe('Sampling temperature, 0 to 2, where the caller gives none.'),
  top_p: z.number().min(0).max(1).optional().describe('Nucleus sampling, 0 to 1, where the caller gives none.'),
  top_k: count('How many of the likeliest tokens are looked at, where the caller does not say.'),
  max_tokens: count('The most tokens an answer may have, where the caller does not say.'),
  max_completion_tokens: count(
    'The most tokens an answer may have, reasoning included, where the caller does not say.',
  ),
  stop: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('Text, or a list of texts, at which an answer ends, where the caller gives none.'),
  seed: z.number().int().optional().describe('Seed of the sampling, where the caller gives none.'),
  presence_penalty: z.number().min(-2).max(2).optional().describe('-2 to 2, where the caller gives none.'),
  frequency_penalty: z.number().min(-2).max(2).optional().describe('-2 to 2, where the caller gives none.'),
  reasoning_effort: z
    .enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
    .optional()
    .describe('How much a model thinks before it answers, where the caller does not say.'),
  response_format: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('The form of the answer, as OpenAI writes it (`{ type: json_object }`), where the caller gives none.'),
  parallel_tool_calls: z.boolean().optional().describe('Whether a model may call several tools at once.'),
  service_tier: z.string().optional().describe("The provider's service tier, where the caller gives none."),
}

export const SAMPLING_KEYS = Object.keys(sampling) as (keyof typeof sampling)[]

/** What only some providers take: who asks there, and where it is. docs/providers.md tells whose is which. */
const ofProviders = {
  api_version: text("Version of the provider's API, for providers that ask for one.").optional(),
  organization: text('Organisation to bill, sent as `OpenAI-Organization`.').optional(),
  account_id: text('Cloudflare and Snowflake: the account, which stands in the address.').optional(),
  aws_access_key_id: text('Bedrock: id of the access key. Default: `AWS_ACCESS_KEY_ID`.').optional(),
  aws_secret_access_key: text('Bedrock: the access key itself. Default: `AWS_SECRET_ACCESS_KEY`.').optional(),
  aws_session_token: text('Bedrock: token of temporary credentials. Default: `AWS_SESSION_TOKEN`.').optional(),
  aws_profile_name: text('Bedrock: a profile of the AWS command line, from `~/.aws`.').optional(),
  aws_role_name: text('Bedrock: ARN of a role to assume.').optional(),
  aws_session_name: text('Bedrock: name of the session in that role. Default: `tollgate`.').optional(),
  aws_external_id: text("Bedrock: the external ID that the role's trust asks for.").optional(),
  aws_web_identity_token: text(
    'Bedrock: a token of an identity provider to exchange for the role, or the path of its file.',
  ).optional(),
  aws_sts_endpoint: text('Bedrock: another address of STS, such as that of a VPC endpoint.').optional(),
  aws_region_name: text('Bedrock: the region, such as `eu-central-1`. Default: `AWS_REGION`.').optional(),
  aws_bedrock_runtime_endpoint: text('Bedrock: another address, such as that of a VPC endpoint.').optional(),
  azure_ad_token: text('Azure: a token of Entra that somebody else renews, instead of a key.').optional(),
  azure_scope: text("Azure: what Entra's token is asked for. Default: the provider's own scope.").optional(),
  tenant_id: text("Azure: the tenant of the application that asks for Entra's tokens.").optional(),
  client_id: text('Azure and Databricks: the application or service principal that asks for tokens.').optional(),
  client_secret: text('Azure and Databricks: its secret.').optional(),
  vertex_project: text("Vertex AI: the project. Default: `VERTEXAI_PROJECT`, else the credentials' own.").optional(),
  vertex_location: text(
    'Vertex AI: the location, such as `europe-west4` or `global`. Default: `us-central1`.',
  ).optional(),
  vertex_credentials: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .optional()
    .describe(
      'Vertex AI: the key of a service account, as JSON or as the path of its file. Default: what Google finds.',
    ),
  num_ctx: count('Ollama only: the context window to load the model with, in tokens. Pinned: no caller changes it.'),
  keep_alive: z
    .union([z.string(), z.number()])
    .optional()
    .describe('Ollama only: how long the model stays loaded after a request: `10m`, seconds, or -1 for ever.'),
}

export const PROVIDER_KEYS = Object.keys(ofProviders) as (keyof typeof ofProviders)[]

export const litellmParams = z
  .strictObject({
    model: text(
      "The provider's prefix, a slash, and the model in the provider's words: `ollama/mistral`, `openai/gpt-4o`. May hold a `*` where `model_name` does.",
    ),
    api_base: text('Address of the server, http or https. Default: the address of the provider.').optional(),
    api_key: text(
      'Key for the provider. Write `os.environ/NAME` to keep it out of the file. Default: the usual environment variable of the provider.',
    ).optional(),
    litellm_credential_name: text(
      'The name of credentials that several models share: of `credential_list`, or entered by POST /credentials.',
    ).optional(),
    custom_llm_provider: text('The provider, where `model` has no prefix.').optional(),
    rpm: count(
      'Requests a minute that this target can take. Who has room is asked before who has none; with `optional_pre_call_checks: [enforce_model_rate_limits]` it is a limit. Default: no limit.',
    ),
    tpm: count('Tokens a minute that this target can take, prompt and answer; as `rpm`. Default: no limit.'),
    weight: z
      .number()
      .min(0)
      .optional()
      .describe('Share of the requests under `simple-shuffle`. Default: by `rpm`, else by `tpm`, else all alike.'),
    order: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Priority within the alias: targets with the lowest number are asked first. Default: 0.'),
    timeout: seconds('The longest that a whole request may take.', '`router_settings.timeout`'),
    stream_timeout: seconds('The longest until the first content arrives.', '`tollgate.timeouts.first_byte`'),
    max_retries: z
      .number()
      .int()
      .min(0)
      .max(20)
      .optional()
      .describe('Further attempts at this target after the first. Default: `router_settings.num_retries`.'),
    max_parallel_requests: count('Requests that this target answers at once. Default: no limit.'),
    ...prices,
    extra_headers: z
      .record(z.string(), z.string())
      .optional()
      .describe('Headers that are added to every request to this target.'),
    extra_body: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Fields that are added to the body of every request to this target, in the provider's own words."),
    ...ofProviders,
    drop_params: z
      .boolean()
      .optional()
      .describe(
        'Drop parameters that this provider does not know instead of refusing. Default: `litellm_settings.drop_params`.',
      ),
    guardrails: z
      .array(z.string().min(1))
      .optional()
      .describe('Names of `guardrails` that look at every request for this alias.'),
    tags: z.array(z.string()).optional().describe('Tags of this target, for `router_settings.enable_tag_filtering`.'),
    mock_response: text('Answer with this text and ask no upstream. Not built yet: warned of at the start.').optional(),
    ...sampling,
  })
  .describe('What answers, and how it is asked.')

const flag = (what: string) =>
  z.boolean().optional().describe(`Whether the model ${what}. Default: from the price list.`)

export const modelInfo = z
  .looseObject({
    id: text('Stable name of this target, unique in the file. Default: the alias, `#` and a number.').optional(),
    mode: z
      .enum([
        'chat',
        'completion',
        'embedding',
        'responses',
        'image_generation',
        'audio_transcription',
        'audio_speech',
        'rerank',
        'moderation',
        'realtime',
        'batch',
        'ocr',
        'video_generation',
      ])
      .optional()
      .describe('What the model does. Decides how it is listed. Default: `chat`.'),
    health_check_model: text(
      'The model for a real request when the health of this target is checked, which costs what it costs (tag `health_check`). Without it the list of models of its server is looked at, for nothing.',
    ).optional(),
    health_check_max_tokens: count('The most tokens of the answer to such a request. Default: 1.'),
    health_check_timeout: seconds(
      'The longest that a check of this target may take.',
      '5, or 60 with `health_check_model`',
    ),
    disable_background_health_check: z
      .boolean()
      .optional()
      .describe('Whether this target is left out of checks in the background. Default: false.'),
    base_model: text('The model whose price and limits count, where the name says nothing of it (Azure).').optional(),
    max_tokens: count('The most tokens an answer may have. Default: from the price list.'),
    max_input_tokens: count('The most tokens a prompt may have. Default: from the price list.'),
    max_output_tokens: count('The most tokens an answer may have. Default: from the price list.'),
    needs_grant: z
      .boolean()
      .optional()
      .describe(
        'Whether a key needs leave for this alias, which it asks for with `/grant/ask`: docs/budgets.md. Default: false.',
      ),
    access_groups: z
      .array(text('A name.'))
      .optional()
      .describe(
        'Names that keys, teams and others may list among their `models` in place of this alias: docs/keys.md.',
      ),
    supports_function_calling: flag('calls tools'),
    supports_vision: flag('reads images'),
    supports_audio_input: flag('listens to audio'),
    supports_pdf_input: flag('reads PDF files'),
    supports_reasoning: flag('thinks before it answers'),
    supports_response_schema: flag('answers by a JSON Schema'),
    supports_assistant_prefill: flag('goes on with an answer whose beginning it is given'),
    supports_prompt_caching: flag('caches prompts'),
    supports_web_search: flag('searches the web'),
    ...prices,
  })
  .describe('What is known of the model. Keys of your own are kept and told by `/model/info`.')

const names = (whose: string) => z.array(z.string().min(1)).optional().describe(`Only for requests of ${whose}.`)

const conditions = z
  .strictObject({
    keys: names('these keys (alias or id)'),
    teams: names('these teams'),
    users: names('these users'),
    projects: names('these projects'),
    metadata: z
      .record(z.string(), z.string())
      .optional()
      .describe('Only for requests whose `metadata` says all of this.'),
    min_prompt_tokens: count('Only for prompts of at least so many tokens, as they are estimated.'),
    max_prompt_tokens: count('Only for prompts of at most so many tokens, as they are estimated.'),
    hours: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/, 'must be hours such as 22:00-06:00')
      .optional()
      .describe('Only at these times of day, in `timezone`: `22:00-06:00`.'),
    days: z.array(z.enum(DAYS)).optional().describe('Only on these days of the week: `[mon, tue]`.'),
  })
  .describe('When this target may be asked at all. Each condition that is given has to hold.')

export const modelEntry = z
  .strictObject({
    model_name: text(
      'The alias that callers ask for. Several entries with the same name share its requests. May be a pattern: `openai/*`.',
    ),
    litellm_params: litellmParams,
    model_info: modelInfo.optional(),
    when: conditions.optional(),
    mirror: z
      .strictObject({
        to: text('The alias that gets the copy.'),
        share: z.number().gt(0).max(1).default(1).describe('The share of the requests that is copied, 0.1 is 10 %.'),
      })
      .optional()
      .describe(
        'Requests of this alias are copied to another one, to see how it would do. Nobody waits for the copy or gets its answer; the gateway pays for it, with the tag `mirror`.',
      ),
    hedge: hedge
      .optional()
      .describe(
        'Whether requests of this alias are asked for twice where a target is slow, in place of `tollgate.hedge`: `off`, `p95`, or a map with `after` and `most`.',
      ),
    canary: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe('This target is a canary: it gets this share of the requests of its alias (0.05 is 5 %), and no more.'),
  })
  .describe('One target behind an alias.')
