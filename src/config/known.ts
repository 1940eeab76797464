/**
 * What is said of a key that LiteLLM knows and Tollgate does not honour. Most are warned of. Those whose silent absence
 * would let somebody in, let something through or let money go are refused: a gateway that starts without them is not
 * the one that was asked for.
 */
import * as names from './known-names.ts'
import type { Path } from './problem.ts'

export type Section =
  | 'top'
  | 'litellm_params'
  | 'model_info'
  | 'litellm_settings'
  | 'router_settings'
  | 'general_settings'

const KNOWN: Readonly<Record<Section, ReadonlySet<string>>> = {
  top: new Set(names.TOP),
  litellm_params: new Set([...names.LITELLM_PARAMS, ...names.PRICES]),
  model_info: new Set([...names.MODEL_INFO, ...names.PRICES]),
  litellm_settings: new Set(names.LITELLM_SETTINGS),
  router_settings: new Set(names.ROUTER_SETTINGS),
  general_settings: new Set(names.GENERAL_SETTINGS),
}

const AUTH = 'It decides who may come in'
const SCREEN = 'It decides what may pass'
const MONEY = 'It bounds what may be spent'

const set = (reason: string, keys: string): [string, string][] => keys.split(' ').map((key) => [key, reason])

/** Refused, with the reason, whatever the section they stand in. */
const UNSAFE = new Map<string, string>([
  ...set(
    AUTH,
    'custom_auth custom_auth_run_common_checks custom_key_generate custom_key_update custom_key_policy custom_sso custom_ui_sso_sign_in_handler enable_oauth2_auth enable_oauth2_proxy_auth oauth2_config_mappings enforce_rbac role_permissions allow_user_auth allowed_routes admin_only_routes enforced_params enforce_user_param key_generation_settings disable_custom_api_keys disable_key_generate_for_org_admin default_team_disabled team_id access_windows enforce_fallback_model_access validate_end_user_id_in_db service_account_settings',
  ),
  ...set(
    SCREEN,
    'guardrails guardrail_list guardrail_name_config_map policies policy_attachments pre_call_rules post_call_rules banned_keywords_list blocked_user_list llamaguard_model_name llamaguard_unsafe_content_categories openai_moderations_model_name google_moderation_confidence_threshold llm_guard_mode presidio_ad_hoc_recognizers output_parse_pii blocked allowed_file_extensions blocked_file_extensions vertex_ai_safety_settings',
  ),
  ...set(MONEY, 'max_budget budget_duration default_api_key_tpm_limit default_api_key_rpm_limit'),
])

const TOP_LIST = 'What looks at requests stands in the list `guardrails` at the top of the file: docs/guardrails.md.'

/** What to do, or what is so already. */
const HINTS: Readonly<Record<string, string>> = {
  guardrails: TOP_LIST,
  guardrail_list: TOP_LIST,
  guardrail_name_config_map: TOP_LIST,
  banned_keywords_list: `${TOP_LIST} \`guardrail: words\` has a list of them.`,
  llamaguard_model_name: TOP_LIST,
  llamaguard_unsafe_content_categories: TOP_LIST,
  openai_moderations_model_name: TOP_LIST,
  presidio_ad_hoc_recognizers: TOP_LIST,
  output_parse_pii: `${TOP_LIST} There it is a field of each.`,
  include: 'Put everything into one file for now.',
  database_url: 'Everything is kept in an SQLite file in the data folder.',
  set_verbose: 'Nothing is lost: the log needs no such switch.',
  json_logs: 'Use `tollgate.log: json`.',
  max_request_size_mb: 'Use `tollgate.body_limit_mb`.',
  cancel_on_disconnect: 'It is always so here.',
  redact_messages_in_exceptions: 'It is always so here: no content is logged.',
  fail_closed_budget_enforcement: 'It is always so here.',
  always_include_stream_usage: 'It is always so here.',
  num_retries: 'Use `max_retries`.',
  block_requests_for_models_without_pricing: 'Use `tollgate.unpriced: refuse`.',
  sse_keepalive_ping_interval_seconds: 'Use `tollgate.heartbeat`.',
  anthropic_sse_ping_interval_seconds: 'Use `tollgate.heartbeat`.',
  enable_health_check_routing: 'It is always so here.',
  redis_host: 'One process needs no Redis.',
  redis_url: 'One process needs no Redis.',
}

/** The section that the keys under `path` belong to; undefined where LiteLLM has none. */
export function sectionOf(path: Path): Section | undefined {
  if (path.length === 0) return 'top'
  if (path[0] === 'model_list' && path.length === 3)
    return path[2] === 'litellm_params' || path[2] === 'model_info' ? path[2] : undefined
  if (path.length > 1) return undefined
  const [name] = path
  return name === 'litellm_settings' || name === 'router_settings' || name === 'general_settings' ? name : undefined
}

export type Standing =
  | { kind: 'unknown' }
  /** Warned of. */
  | { kind: 'later'; message: string }
  /** Refused. */
  | { kind: 'unsafe'; message: string }

/** How Tollgate stands to a key that its schema does not have. */
export function standingOf(section: Section | undefined, key: string): Standing {
  if (!section || !KNOWN[section].has(key)) return { kind: 'unknown' }
  const reason = UNSAFE.get(key)
  const hint = HINTS[key]
  if (reason && hint?.startsWith(TOP_LIST))
    return { kind: 'unsafe', message: `\`${key}\` is a place of LiteLLM’s that has another one here. ${hint}` }
  if (reason)
    return {
      kind: 'unsafe',
      message: `\`${key}\` is known from LiteLLM and not built yet. ${reason}: refusing to start without it. Remove the key if you can do without.`,
    }
  return {
    kind: 'later',
    message: `\`${key}\` is known from LiteLLM and not built yet: it has no effect here.${hint ? ` ${hint}` : ''}`,
  }
}

/** Another section that LiteLLM reads this key in. */
export function homeOf(section: Section | undefined, key: string): Section | undefined {
  const homes = ['litellm_settings', 'router_settings', 'general_settings', 'litellm_params'] as const
  return section === undefined ? undefined : homes.find((home) => home !== section && KNOWN[home].has(key))
}

/** The keys that a file may not have, by section, for the reference. */
export function refusedKeys(): [Section, string[]][] {
  return (Object.keys(KNOWN) as Section[]).map((section) => [
    section,
    [...KNOWN[section]].filter((key) => standingOf(section, key).kind === 'unsafe').sort(),
  ])
}

/** The keys that are warned of, by section, for the reference. */
export function laterKeys(): [Section, string[]][] {
  return (Object.keys(KNOWN) as Section[]).map((section) => [
    section,
    [...KNOWN[section]].filter((key) => standingOf(section, key).kind === 'later').sort(),
  ])
}

/** Whether LiteLLM has a provider of this prefix. */
export function isPrefixOfLiteLLM(prefix: string): boolean {
  return names.PREFIXES.includes(prefix)
}
