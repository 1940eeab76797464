/** A checked file, in LiteLLM's words → the configuration as the house reads it. The one place where sections merge. */
import type { ByClass } from '../core/failing.ts'
import { isSecretSetting, Secret } from '../secrets/secret.ts'
import { adjustmentsOf } from './adjustments.ts'
import { adminOf } from './admin.ts'
import { alertsOf } from './alerts.ts'
import { auditOf } from './audit.ts'
import { budgetsIn, usualBudgets } from './budgets.ts'
import { cacheOf } from './cache.ts'
import type { Config, FallbackMap, KnownProvider, ModelConfig } from './config.ts'
import { guardTerms, type TakenGuards } from './guard-terms.ts'
import { hedgeRules } from './hedge.ts'
import type { Env } from './interpolate.ts'
import { fromLiteLLM, litellmJwtAuth } from './jwtauth.ts'
import { gatewayLimits } from './limits.ts'
import { PROVIDER_KEYS, SAMPLING_KEYS } from './model.ts'
import { ollamaOrigin } from './ollama-host.ts'
import { priceOf } from './price.ts'
import { resolveModel } from './provider.ts'
import type { FileConfig, ModelEntry } from './schema.ts'
import { ssoOf } from './sso.ts'
import { tlsOf } from './tls.ts'
import { DAYS } from './words.ts'

const ms = (seconds: number): number => Math.round(seconds * 1000)

/**
 * @param taken what only a provider knows of an entry, by index
 * @param guards what only its kind knows of a guardrail, read, by index
 * @param env gives the usual keys and addresses of providers where the file does not
 */
export function normalise(
  file: FileConfig,
  providers: readonly KnownProvider[],
  env: Env,
  taken: ReadonlyMap<number, Record<string, unknown>> = new Map(),
  guards: TakenGuards = new Map(),
): Config {
  const { general_settings: general, litellm_settings: litellm, router_settings: router, tollgate } = file
  const counts = new Map<string, number>()
  const adjustments = adjustmentsOf(litellm)
  const models = file.model_list.flatMap((entry, i) => {
    const n = (counts.get(entry.model_name) ?? 0) + 1
    counts.set(entry.model_name, n)
    const model = oneModel(entry, `${entry.model_name}#${n}`, providers, env, taken.get(i) ?? {}, adjustments)
    return model ? [model] : []
  })
  const total = router.timeout ?? litellm.request_timeout ?? tollgate.timeouts.total
  const header = general.key_header ?? general.litellm_key_header_name
  return {
    models,
    aliases: Object.fromEntries(
      Object.entries(router.model_group_alias ?? {}).map(([name, meant]) => [
        name,
        typeof meant === 'string'
          ? { model: meant, hidden: false }
          : { model: meant.model, hidden: meant.hidden ?? false },
      ]),
    ),
    guardrails: guardTerms(file.guardrails, guards, (name) =>
      file.model_list.flatMap(({ model_name: alias, litellm_params: { guardrails = [] } }) =>
        guardrails.includes(name) ? [alias] : [],
      ),
    ),
    masterKey: general.master_key === undefined ? undefined : new Secret(general.master_key),
    keyHeader: header?.toLowerCase(),
    auth: authOf(file, env),
    admin: adminOf(tollgate.admin, env),
    sso: ssoOf(tollgate.sso, env),
    audit: auditOf(tollgate.audit, tollgate.retention),
    accessLog: tollgate.access_log,
    content: {
      all: general.store_prompts_in_spend_logs ?? false,
      never: litellm.turn_off_message_logging ?? false,
      keep: tollgate.content_log.keep,
      most: tollgate.content_log.most_kb * 1024,
      hearsNo: litellm.global_disable_no_log_param !== true,
    },
    budgets: budgetsIn(file, providers),
    usualBudgets: usualBudgets(file),
    newKeys: {
      defaults: litellm.default_key_generate_params ?? {},
      bounds: said(litellm.upperbound_key_generate_params ?? {}),
    },
    isFor: tollgate.environment,
    budgetExceededStatus: general.budget_exceeded_status_code ?? litellm.budget_exceeded_status_code ?? 422,
    budgetMode: tollgate.budget_mode,
    timezone: litellm.timezone ?? tollgate.timezone,
    warnAt: [...new Set(tollgate.budget_warn_at)].sort((a, b) => a - b),
    budgetWait: ms(tollgate.budget_wait),
    unpriced: tollgate.unpriced,
    strategy: strategyOf(router.routing_strategy),
    tagFilter: {
      enabled: router.enable_tag_filtering ?? false,
      matchAny: router.tag_filtering_match_any ?? true,
    },
    localTags: tollgate.local_only_tags,
    limits: gatewayLimits(tollgate.limits, litellm.priority_reservation),
    strictLimits:
      router.enable_pre_call_checks === true ||
      (router.optional_pre_call_checks?.includes('enforce_model_rate_limits') ?? false),
    health: {
      background: general.background_health_checks ?? false,
      everyMs: ms(general.health_check_interval ?? 300),
      atOnce: general.health_check_concurrency ?? 4,
    },
    retries: router.num_retries ?? litellm.num_retries ?? 2,
    retriesOf: router.retry_policy && byClass(router.retry_policy),
    aliasRetriesOf: Object.fromEntries(
      Object.entries(router.model_group_retry_policy ?? {}).map(([alias, said]) => [alias, byClass(said)]),
    ),
    retryAfter: ms(router.retry_after ?? 0),
    allowedFails: router.allowed_fails ?? litellm.allowed_fails ?? 3,
    allowedOf: router.allowed_fails_policy && byClass(router.allowed_fails_policy),
    cooldown: router.disable_cooldowns ? 0 : ms(router.cooldown_time ?? 5),
    maxFallbacks: router.max_fallbacks ?? litellm.max_fallbacks ?? 5,
    fallbacks: fallbackMap(
      router.fallbacks ?? litellm.fallbacks ?? [],
      router.default_fallbacks ?? litellm.default_fallbacks ?? [],
    ),
    contextFallbacks: fallbackMap(router.context_window_fallbacks ?? litellm.context_window_fallbacks ?? []),
    contentFallbacks: fallbackMap(router.content_policy_fallbacks ?? litellm.content_policy_fallbacks ?? []),
    dropParams: litellm.drop_params ?? false,
    midstream: tollgate.midstream,
    watchWhole: tollgate.watch_whole,
    leastTokensPerS: tollgate.least_tokens_per_second,
    hedge: hedgeRules(tollgate.hedge),
    alerts: alertsOf(tollgate.alerts, general, env),
    cache: cacheOf(litellm.cache, litellm.cache_params, tollgate.cache, tollgate.idempotency, env),
    timeouts: {
      connect: ms(tollgate.timeouts.connect),
      firstByte: ms(router.stream_timeout ?? tollgate.timeouts.first_byte),
      firstByteLocal: ms(router.stream_timeout ?? tollgate.timeouts.first_byte_local),
      idle: ms(tollgate.timeouts.idle),
      total: ms(total),
    },
    credentials: file.credential_list.map((one) => ({
      name: one.credential_name,
      values: Object.fromEntries(
        Object.entries(one.credential_values).map(([key, text]) => [
          key,
          isSecretSetting(key) ? new Secret(text) : text,
        ]),
      ),
      info: one.credential_info,
    })),
    sealKey: secretOf(tollgate.seal_key ?? (env.LITELLM_SALT_KEY || undefined)),
    sealKeysBefore: tollgate.seal_keys_before.map((text) => new Secret(text)),
    bodyTimeout: ms(tollgate.timeouts.body),
    tls: tlsOf(tollgate.tls, env),
    egress: {
      only: tollgate.egress.only,
      private: tollgate.egress.private,
      ca: tollgate.egress.ca ?? litellm.ssl_verify,
      upstreams: tollgate.egress.upstreams,
    },
    insecure: tollgate.insecure || /^(true|1)$/i.test(env.TOLLGATE_INSECURE ?? ''),
    bodyLimit: Math.round(tollgate.body_limit_mb * 1024 * 1024),
    log: tollgate.log,
    heartbeat: ms(tollgate.heartbeat),
    backends: {
      each: Object.fromEntries(
        Object.entries(tollgate.backends).map(([url, { slots, queue, queue_timeout: wait }]) => [
          url.replace(/\/+$/, '').replace(/(\/api)?\/v\d+$/, ''),
          { slots, queue, queueWait: wait === undefined ? undefined : ms(wait) },
        ]),
      ),
      usual: { most: tollgate.queue, waitMs: ms(tollgate.queue_timeout) },
    },
    overflow: { to: tollgate.cloud_overflow, afterMs: ms(tollgate.spill_after) },
    prewarm: tollgate.prewarm.map(({ model, at, days = [], keep_alive: keepAlive }) => ({
      alias: model,
      minute: minuteOf(at),
      days: days.map((day) => DAYS.indexOf(day)),
      keepAlive,
    })),
    images: { hosts: tollgate.image_hosts, maxBytes: tollgate.image_max_mb * 1024 * 1024 },
    keepResponses: tollgate.keep_responses * 86_400_000,
    keepCharges: tollgate.keep_charges,
    shutdownGrace: ms(tollgate.shutdown_grace),
    environment: Object.fromEntries(
      Object.entries(file.environment_variables).map(([name, value]) => [name, new Secret(String(value))]),
    ),
  }
}

function authOf({ general_settings: general, tollgate }: FileConfig, env: Env): Config['auth'] {
  const { allow_from: ips = {}, trusted_proxies, auth_attempts: attempts } = tollgate
  const jwt = general.enable_jwt_auth ? (general.litellm_jwtauth ?? litellmJwtAuth.unwrap().parse({})) : undefined
  return {
    entries: tollgate.auth ?? (jwt ? fromLiteLLM(jwt, env) : undefined),
    trusted:
      general.use_x_forwarded_for === false
        ? []
        : [...(trusted_proxies ?? []), ...(general.trusted_proxy_ranges ?? [])],
    allowed: { ...ips, all: ips.all ?? general.allowed_ips },
    attempts: {
      free: attempts.free,
      windowMs: ms(attempts.window),
      waitMs: ms(attempts.wait),
      longestMs: ms(attempts.longest),
    },
  }
}

/** LiteLLM's second version of a strategy is our first. */
function strategyOf(word: FileConfig['router_settings']['routing_strategy']): Config['strategy'] {
  if (word === undefined || word === 'lar1') return 'simple-shuffle'
  return word === 'usage-based-routing-v2' ? 'usage-based-routing' : word
}

/** Of the day, of `08:30`. */
const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))

function conditionsOf({ when }: ModelEntry): ModelConfig['when'] {
  if (!when) return undefined
  const {
    keys,
    teams,
    users,
    projects,
    metadata,
    min_prompt_tokens: minPrompt,
    max_prompt_tokens: maxPrompt,
    days,
  } = when
  const [from, to] = when.hours?.split('-') ?? []
  return {
    ...{ keys, teams, users, projects, metadata, minPrompt, maxPrompt },
    hours: from !== undefined && to !== undefined ? { from: minuteOf(from), to: minuteOf(to) } : undefined,
    days: days?.map((day) => DAYS.indexOf(day)),
  }
}

const said = <T>(map: Record<string, T | undefined>): Record<string, T> =>
  Object.fromEntries(Object.entries(map).filter((entry): entry is [string, T] => entry[1] !== undefined))

/** `TimeoutErrorRetries: 2` → {Timeout: 2}. */
function byClass(said: Readonly<Record<string, number | undefined>>): ByClass {
  const numbers: Record<string, number> = {}
  for (const [word, n] of Object.entries(said))
    if (n !== undefined) numbers[word.replace(/(Error)?(Retries|AllowedFails)$/, '')] = n
  // LiteLLM tells a bad gateway apart; here it is a server's failure.
  if (numbers.BadGateway !== undefined) numbers.InternalServer ??= numbers.BadGateway
  return numbers
}

const secretOf = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : new Secret(text))

function fallbackMap(lines: readonly Record<string, string[]>[], others: readonly string[] = []): FallbackMap {
  const map: Record<string, readonly string[]> = Object.create(null)
  if (others.length > 0) map['*'] = others
  for (const line of lines) Object.assign(map, line)
  return { ...map }
}

function oneModel(
  entry: ModelEntry,
  id: string,
  providers: readonly KnownProvider[],
  env: Env,
  taken: Record<string, unknown>,
  adjustments: ReturnType<typeof adjustmentsOf>,
): ModelConfig | undefined {
  const { litellm_params: params, model_info: info = {} } = entry
  const resolved = resolveModel(params.model, params.custom_llm_provider, providers)
  if (!resolved.ok) return undefined
  const { provider, prefix, model } = resolved
  const first = (names: readonly string[] = []) => names.map((name) => env[name]).find((value) => value)
  const credential = params.litellm_credential_name
  // Whoever names a credential means that one, and no key of the environment.
  const key = params.api_key ?? (credential === undefined ? first(provider.env?.api_key) : undefined)
  const apiKey = key === undefined ? undefined : new Secret(key)
  const apiBase = params.api_base?.replace(/\/+$/, '') ?? baseFromEnvironment(provider, env)
  const own = Object.fromEntries(PROVIDER_KEYS.map((key) => [key, params[key]]))
  const given = { api_key: apiKey, api_base: apiBase, ...own, ...taken }
  const { id: _, ...known } = info
  return {
    alias: entry.model_name,
    id: info.id ?? id,
    provider: provider.id,
    prefix,
    model,
    apiBase,
    apiKey,
    credential,
    settings: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    rpm: params.rpm ?? 0,
    tpm: params.tpm ?? 0,
    weight: params.weight ?? 0,
    maxParallel: params.max_parallel_requests ?? 0,
    order: params.order ?? 0,
    tags: params.tags ?? [],
    when: conditionsOf(entry),
    canary: entry.canary ?? 0,
    mirror: entry.mirror,
    hedge: entry.hedge === undefined ? undefined : { rules: hedgeRules(entry.hedge) },
    timeouts: {
      ...(params.stream_timeout === undefined ? {} : { firstByte: ms(params.stream_timeout) }),
      ...(params.timeout === undefined ? {} : { total: ms(params.timeout) }),
    },
    retries: params.max_retries,
    dropParams: params.drop_params,
    price: priceOf(entry),
    adjustment: adjustments(provider),
    extraHeaders: Object.fromEntries(Object.entries(params.extra_headers ?? {}).map(([k, v]) => [k, new Secret(v)])),
    extraBody: params.extra_body ?? {},
    defaults: Object.fromEntries(
      SAMPLING_KEYS.flatMap((word) => (params[word] === undefined ? [] : [[word, params[word]] as const])),
    ),
    mockResponse: params.mock_response,
    info: known,
  }
}

/** What runs in the house is named as Ollama's own variable does it (`0.0.0.0:11434`); clouds have whole addresses. */
function baseFromEnvironment(provider: KnownProvider, env: Env): string | undefined {
  const name = provider.env?.api_base?.find((variable) => env[variable])
  const said = name === undefined ? undefined : env[name]
  if (said === undefined) return undefined
  return provider.local ? ollamaOrigin(said) : said.replace(/\/+$/, '')
}
