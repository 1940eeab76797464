/**
 * The configuration as the rest of the house reads it: both of LiteLLM's sections merged, times in ms, money in
 * nano-dollars, secrets sealed. How a file says it is `schema.ts`; how one becomes the other is `normalise.ts`.
 */
import type { ZodSafeParseResult } from 'zod'
import type { AttemptRules } from '../core/attempts.ts'
import type { BudgetMode, BudgetTerms } from '../core/budget.ts'
import type { TagRules } from '../core/conditions.ts'
import type { ByClass } from '../core/failing.ts'
import type { HedgeRules } from '../core/hedge.ts'
import type { Adjustment, OwnPrice } from '../core/price-lay.ts'
import type { GatewayLimits, Overflow } from '../core/snapshot.ts'
import type { StrategyName } from '../core/strategy.ts'
import type { Conditions, Timeouts } from '../core/target.ts'
import type { GuardTerms } from '../guardrails/terms.ts'
import type { Secret } from '../secrets/secret.ts'
import type { AdminConfig } from './admin.ts'
import type { AlertsConfig } from './alerts.ts'
import type { AuditConfig } from './audit.ts'
import type { AuthEntry } from './auth.ts'
import type { CacheConfig } from './cache.ts'
import type { EgressConfig } from './egress.ts'
import type { SsoProvider } from './sso.ts'
import type { TlsConfig } from './tls.ts'

/** One entry of `model_list`: one target behind an alias. */
export interface ModelConfig {
  /** `model_name`: what callers ask for. May be a pattern (`openai/*`). */
  alias: string
  /** `model_info.id`, else `<alias>#<n>` counted from 1 within the alias. */
  id: string
  /** The provider's id, with LiteLLM's other prefixes resolved (`ollama_chat` → `ollama`). */
  provider: string
  /** The prefix as it was written. */
  prefix: string
  /** The model in the upstream's words; holds `*` where the alias is a pattern. */
  model: string
  /** No trailing slash. Undefined: the provider's own address. */
  apiBase?: string | undefined
  apiKey?: Secret | undefined
  /** The name under which its credentials are kept. */
  credential: string | undefined
  /** Everything a provider may take, in LiteLLM's words: api_key (a Secret), api_base, api_version, num_ctx, … */
  settings: Readonly<Record<string, unknown>>
  /** Capacity; 0 where not given. */
  rpm: number
  tpm: number
  weight: number
  /** Requests at once; 0 where not given. */
  maxParallel: number
  /** Lowest first; targets without one come first, as 0. */
  order: number
  tags: readonly string[]
  /** When it may be asked; undefined: always. */
  when: Conditions | undefined
  /** Its share of the alias's requests as a canary, 0 to 1; 0: it is none. */
  canary: number
  /** The alias that gets a copy of a share of its requests. */
  mirror: { to: string; share: number } | undefined
  /** What it says of slow answers; without rules they are not asked for twice. Undefined: as the gateway has it. */
  hedge: { rules: HedgeRules | undefined } | undefined
  timeouts: Partial<Pick<Timeouts, 'firstByte' | 'total'>>
  /** Further attempts after the first; undefined: the gateway's. */
  retries?: number | undefined
  dropParams?: boolean | undefined
  /** What the file says of the price. */
  price: OwnPrice
  /** What the house takes off and puts on. */
  adjustment: Adjustment | undefined
  /** Header values may hold credentials, so they don't print. */
  extraHeaders: Readonly<Record<string, Secret>>
  extraBody: Readonly<Record<string, unknown>>
  /** Parameters that go along unless the caller gives his own, in OpenAI's words. */
  defaults: Readonly<Record<string, unknown>>
  /** Answer with this text and ask no upstream. */
  mockResponse?: string | undefined
  /** What is known of the model; also what /model/info tells. Keys of one's own are kept. */
  info: Readonly<ModelInfo>
}

export interface ModelInfo {
  mode?: string | undefined
  base_model?: string | undefined
  max_tokens?: number | undefined
  max_input_tokens?: number | undefined
  max_output_tokens?: number | undefined
  needs_grant?: boolean | undefined
  access_groups?: string[] | undefined
  health_check_model?: string | undefined
  health_check_max_tokens?: number | undefined
  health_check_timeout?: number | undefined
  disable_background_health_check?: boolean | undefined
  [key: string]: unknown
}

/** Alias → the aliases to go to. `*` stands for every alias that has no line of its own. */
export type FallbackMap = Readonly<Record<string, readonly string[]>>

export interface Config {
  models: readonly ModelConfig[]
  /** Other names for aliases; a hidden one works and is not listed. */
  aliases: Readonly<Record<string, { model: string; hidden: boolean }>>
  /** What looks at requests and answers. */
  guardrails: readonly GuardTerms[]
  masterKey?: Secret | undefined
  /** The master key as a shell can say it (`sk-${LITELLM_MASTER_KEY}`), where it comes from the environment. */
  masterKeyShell?: string | undefined
  /** A header beside the usual ones that carries the key, in lower case. */
  keyHeader?: string | undefined
  /** Who may come in. Files are read by whoever needs them. */
  auth: {
    /** Tried in order; undefined: API keys. */
    entries: readonly AuthEntry[] | undefined
    /** Addresses and ranges of proxies that are believed. */
    trusted: readonly string[]
    allowed: {
      all?: readonly string[] | undefined
      models?: readonly string[] | undefined
      manage?: readonly string[] | undefined
    }
    attempts: AttemptRules
  }
  /** By whom people log in there, and what the operator is told of it. */
  sso: { providers: readonly SsoProvider[]; warnings: readonly string[] }
  /** Where it is managed, and how people log in there. */
  admin: AdminConfig
  /** What is written down of what happens. */
  audit: AuditConfig
  /** What was said and answered: whether of all, days that it is kept, bytes of a request and of an answer, and whether callers may say no. */
  content: { all: boolean; never: boolean; keep: number; most: number; hearsNo: boolean }
  /** A file, or `stdout`. */
  accessLog: string | undefined
  /** By scope: `gateway`, `provider:openai`. */
  budgets: Readonly<Record<string, BudgetTerms>>
  /** Of those who have none of their own: the first that amounts to something. */
  usualBudgets: { customer?: readonly BudgetTerms[]; user?: readonly BudgetTerms[] }
  /** What new keys are where nothing is said, and how much they may be; in LiteLLM's words. */
  newKeys: { defaults: Readonly<Record<string, unknown>>; bounds: Readonly<Record<string, number | string>> }
  /** What this gateway is: keys of others are refused. */
  isFor: string | undefined
  budgetExceededStatus: number
  budgetMode: BudgetMode
  /** Of the calendar that budgets and reports go by. */
  timezone: string
  /** Shares of a budget at which is warned, lowest first. */
  warnAt: readonly number[]
  /** Credentials by name, in the words of `litellm_params`. */
  credentials: readonly {
    name: string
    values: Readonly<Record<string, string | Secret>>
    info: Readonly<Record<string, unknown>>
  }[]
  /** What is kept is sealed under this; undefined: under the data folder's own key. */
  sealKey: Secret | undefined
  /** Those before it, which still open. */
  sealKeysBefore: readonly Secret[]
  /** How long a request may wait for holds to be let go, ms. */
  budgetWait: number
  unpriced: 'refuse' | 'allow'
  strategy: StrategyName
  /** How requests go by their tags. */
  tagFilter: TagRules
  limits: GatewayLimits
  /** Requests with one of these tags never leave the house. */
  localTags: readonly string[]
  /** Checks of targets' health: whether in the background, ms between two of one target, and how many at a time. */
  health: { background: boolean; everyMs: number; atOnce: number }
  /** Targets are never asked beyond their `rpm` and `tpm`. */
  strictLimits: boolean
  /** Further attempts after the first. */
  retries: number
  /** Of each class of failures, where it is said. */
  retriesOf: ByClass | undefined
  aliasRetriesOf: Readonly<Record<string, ByClass>>
  /** The least wait between attempts, ms. */
  retryAfter: number
  /** Failures a target may have in a minute before it cools down. */
  allowedFails: number
  allowedOf: ByClass | undefined
  /** ms; 0: nobody cools down. */
  cooldown: number
  maxFallbacks: number
  fallbacks: FallbackMap
  contextFallbacks: FallbackMap
  contentFallbacks: FallbackMap
  dropParams: boolean
  midstream: 'continue' | 'restart' | 'error'
  watchWhole: 'local' | 'always' | 'never'
  /** A stream that is slower has failed; 0: none has. */
  leastTokensPerS: number
  /** When slow answers are asked for twice. */
  hedge: HedgeRules | undefined
  /** ms. `firstByteLocal` is `firstByte` for what runs in the house and may have to load first. */
  timeouts: Timeouts & { firstByteLocal: number }
  /** ms until a caller's request has to have come in whole. */
  bodyTimeout: number
  /** Undefined: callers' connections are not encrypted. */
  tls: TlsConfig | undefined
  /** Where may be connected to, and whom is trusted there. */
  egress: EgressConfig
  /** Whether that is allowed beyond the loopback. */
  insecure: boolean
  /** Bytes. */
  bodyLimit: number
  log: 'json' | 'pretty' | 'auto'
  /** ms between heartbeats of a silent stream; 0: none. */
  heartbeat: number
  /** Machines of the house by address, and what holds where one says nothing. Times in ms. */
  backends: {
    each: Readonly<
      Record<string, { slots?: number | undefined; queue?: number | undefined; queueWait?: number | undefined }>
    >
    usual: { most: number; waitMs: number }
  }
  overflow: Overflow
  /** Models that are loaded at times of day: minutes of it, and days of the week (0 is Sunday; empty: all). */
  prewarm: readonly Prewarm[]
  /** Images that callers name by URL. */
  images: { hosts: readonly string[]; maxBytes: number }
  alerts: AlertsConfig
  /** Answers that are kept. */
  cache: CacheConfig
  /** ms that a response is kept for its caller; 0: none is. */
  keepResponses: number
  /** Days that single charges are kept; 0: for ever. */
  keepCharges: number
  /** ms that a stop waits for what is in flight. */
  shutdownGrace: number
  /** `environment_variables`: to be set in the process. They may be secrets. */
  environment: Readonly<Record<string, Secret>>
}

export interface Prewarm {
  alias: string
  minute: number
  days: readonly number[]
  keepAlive: string | number | undefined
}

/** What a load needs to know of a provider. A `Provider` has this shape. */
export interface KnownProvider {
  id: string
  prefixes?: readonly string[] | undefined
  env?:
    | { api_key?: readonly string[]; api_base?: readonly string[]; [setting: string]: readonly string[] | undefined }
    | undefined
  local?: boolean | undefined
  /** Settings that stand in for a key. */
  insteadOfKey?: readonly string[] | undefined
  findsKeys?: boolean | undefined
  /** Its settings as a zod object: the keys of `litellm_params` that it takes. */
  settings?: object | undefined
}

/** Whether its servers stand at an address of its own, and not wherever `api_base` says. */
export function hasAddress(provider: KnownProvider): boolean {
  const settings = provider.settings as { safeParse?(given: unknown): ZodSafeParseResult<unknown> } | undefined
  const issues = settings?.safeParse?.({}).error?.issues ?? []
  return !issues.some((issue) => issue.path[0] === 'api_base')
}

/** The keys of `litellm_params` that a provider takes as its settings; undefined where it does not tell. */
export function takenBy(provider: KnownProvider): readonly string[] | undefined {
  const { shape } = (provider.settings ?? {}) as { shape?: object }
  return shape && Object.keys(shape)
}

/** The timeouts of one target, ms: the model's own, else the gateway's. None outlives the total. */
export function timeoutsFor(
  config: Pick<Config, 'timeouts'>,
  model: Pick<ModelConfig, 'timeouts'>,
  local: boolean,
): Timeouts {
  const { connect, firstByte, firstByteLocal, idle, total } = config.timeouts
  const whole = model.timeouts.total ?? total
  const first = model.timeouts.firstByte ?? (local ? firstByteLocal : firstByte)
  const within = (ms: number): number => Math.min(ms, whole)
  return { connect: within(connect), firstByte: within(first), idle: within(idle), total: whole }
}
