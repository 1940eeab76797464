/** What a schema can't say: settings that must agree with each other. */

import { starMatch } from '../core/key.ts'
import { serverOf } from '../core/server-of.ts'
import { GLOBAL } from './adjustments.ts'
import { checkBudgets } from './budgets.ts'
import { checkAlerts } from './check-alerts.ts'
import { checkAuth } from './check-auth.ts'
import { type KnownProvider, takenBy } from './config.ts'
import { isDuration } from './duration.ts'
import type { Finding } from './explain.ts'
import { checkGuards } from './guard-terms.ts'
import type { Env } from './interpolate.ts'
import { faultOfMasterKey } from './master-key.ts'
import { PROVIDER_KEYS } from './model.ts'
import { nearest } from './nearest.ts'
import { faultsOfPrices } from './price.ts'
import { type Path, showPath } from './problem.ts'
import { resolveModel } from './provider.ts'
import type { FileConfig } from './schema.ts'

const error = (path: Path, message: string, suggestion?: string): Finding => ({
  path,
  message,
  severity: 'error',
  ...(suggestion ? { suggestion } : {}),
})

const warning = (path: Path, message: string): Finding => ({ path, message, severity: 'warning' })

/**
 * @param says whether the file says something at a path, right or wrong
 * @param env where addresses of channels are looked for
 */
export function check(
  file: FileConfig,
  providers: readonly KnownProvider[],
  says: (path: Path) => boolean,
  env: Env,
): Finding[] {
  return [
    ...checkModels(file, providers),
    ...checkGeneral(file),
    ...checkAuth(file),
    ...checkBudget(file, says),
    ...checkAdjustments(file, providers),
    ...checkNames(file),
    ...checkBudgets(file, providers, (name) => isNamed(file, name)),
    ...checkBoth(file),
    ...checkBackends(file, says),
    ...checkUnbuilt(file),
    ...checkAlerts(file.tollgate.alerts, file.general_settings, env),
    ...checkGuards(
      file.guardrails,
      file.model_list.flatMap(({ litellm_params: { guardrails: names } }, i) =>
        names ? [{ path: ['model_list', i, 'litellm_params', 'guardrails'] as Path, names }] : [],
      ),
      /^redis/.test(file.litellm_settings.cache_params?.type ?? ''),
    ),
  ]
}

function checkModels(file: FileConfig, providers: readonly KnownProvider[]): Finding[] {
  const found: Finding[] = []
  const ids = new Map<string, Path>()
  for (const [i, { model_name, litellm_params: params, model_info }] of file.model_list.entries()) {
    const at = (key: string): Path => ['model_list', i, 'litellm_params', key]
    const resolved = resolveModel(params.model, params.custom_llm_provider, providers)
    const from = params.custom_llm_provider === undefined ? 'model' : 'custom_llm_provider'
    if (!resolved.ok) found.push(error(at(from), resolved.message, resolved.suggestion))
    else {
      const takes = takenBy(resolved.provider)
      for (const key of PROVIDER_KEYS)
        if (takes && params[key] !== undefined && !takes.includes(key))
          found.push(warning(at(key), `has no effect: \`${resolved.prefix}\` does not take it.`))
    }
    if (params.model.includes('*') && !model_name.includes('*'))
      found.push(error(at('model'), 'holds a `*`, but `model_name` has none to fill it with.'))
    for (const [key, value] of [
      ['model_name', model_name],
      ['model', params.model],
    ] as const)
      if (value.split('*').length > 2)
        found.push(error(key === 'model' ? at(key) : ['model_list', i, key], 'may hold one `*` only.'))
    if (params.api_base !== undefined) {
      const fault = faultOfUrl(params.api_base)
      if (fault) found.push(error(at('api_base'), fault))
    }
    if (params.api_key?.startsWith('oidc/'))
      found.push(error(at('api_key'), 'tokens by `oidc/…` are known from LiteLLM and not built yet.'))
    const prices = { ...model_info, ...params } as Record<string, unknown>
    const answers = !['embedding', 'rerank', 'moderation'].includes(model_info?.mode ?? 'chat')
    if (prices.input_cost_per_token !== undefined && prices.output_cost_per_token === undefined && answers)
      found.push(
        warning(
          at('input_cost_per_token'),
          'has no `output_cost_per_token` beside it: answers cost what the price list says, else nothing.',
        ),
      )
    for (const part of ['litellm_params', 'model_info'] as const)
      for (const { path, message } of faultsOfPrices(file.model_list[i]?.[part]))
        found.push(error(['model_list', i, part, ...path], message))
    if (model_info?.id !== undefined) {
      const path: Path = ['model_list', i, 'model_info', 'id']
      const first = ids.get(model_info.id)
      if (first) found.push(error(path, `\`${model_info.id}\` is taken by ${showPath(first)}. Each id stands once.`))
      else ids.set(model_info.id, path)
    }
  }
  return found
}

/** Why this is no address of a server; undefined where it is one. */
export function faultOfUrl(said: string): string | undefined {
  const url = URL.canParse(said) ? new URL(said) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return `must be an http or https address, such as \`http://127.0.0.1:11434\`.`
  if (url.username || url.password) return 'must hold no user and password: use `api_key` or `extra_headers`.'
  return undefined
}

function checkGeneral(file: FileConfig): Finding[] {
  const { master_key, key_header, litellm_key_header_name } = file.general_settings
  const found: Finding[] = []
  const fault = master_key === undefined ? undefined : faultOfMasterKey(master_key)
  if (fault) found.push(error(['general_settings', 'master_key'], fault))
  if (key_header && litellm_key_header_name && key_header.toLowerCase() !== litellm_key_header_name.toLowerCase())
    found.push(
      error(
        ['general_settings', 'litellm_key_header_name'],
        'says another header than `key_header`. Keep one of them.',
      ),
    )
  return found
}

function checkBudget(file: FileConfig, says: (path: Path) => boolean): Finding[] {
  const { budget_duration } = file.litellm_settings
  if (budget_duration === undefined) return []
  const path: Path = ['litellm_settings', 'budget_duration']
  if (!isDuration(budget_duration))
    return [
      error(
        path,
        `\`${budget_duration}\` is no duration. Write a number and one of s, m, h, d, w, mo: \`30d\`, \`1mo\`.`,
      ),
    ]
  if (!says(['litellm_settings', 'max_budget']))
    return [
      error(path, 'has no `max_budget` beside it, so nothing would be bounded. Add `max_budget`, or remove this.'),
    ]
  return []
}

/** A discount that nobody gets is money gone, and a margin that nobody pays. */
function checkAdjustments(file: FileConfig, providers: readonly KnownProvider[]): Finding[] {
  const names = providers.flatMap((p) => [p.id, ...(p.prefixes ?? [])])
  return (['cost_discount_config', 'cost_margin_config'] as const).flatMap((section) => {
    const all = section === 'cost_margin_config' ? [GLOBAL, ...names] : names
    return Object.keys(file.litellm_settings[section] ?? {})
      .filter((name) => !all.includes(name))
      .map((name) => {
        const near = nearest(name, all)
        const path: Path = ['litellm_settings', section, name]
        return error(path, `there is no provider \`${name}\`.${near ? ` Did you mean \`${near}\`?` : ''}`, near)
      })
  })
}

/** Whether callers can ask for it. With no models in the file they are discovered, and nothing can be said yet. */
function isNamed(file: FileConfig, name: string): boolean {
  const names = file.model_list.map((entry) => entry.model_name)
  if (name.includes('*')) return false
  return names.length === 0 || names.some((known) => known === name || starMatch(known, name) !== undefined)
}

/** Every alias that is named must be one. */
function checkNames(file: FileConfig): Finding[] {
  const names = file.model_list.map((entry) => entry.model_name)
  const others = Object.keys(file.router_settings.model_group_alias ?? {})
  const all = [...names, ...others]
  const exists = (name: string) => all.includes(name) || names.some((pattern) => starMatch(pattern, name) !== undefined)
  const found: Finding[] = []
  // With no models in the file they are discovered, and nothing can be said of their names yet.
  if (names.length === 0) return found
  const must = (path: Path, name: string) => {
    if (exists(name)) return
    const near = nearest(name, all)
    found.push(error(path, `there is no model_name \`${name}\`.${near ? ` Did you mean \`${near}\`?` : ''}`, near))
  }
  for (const section of ['litellm_settings', 'router_settings'] as const) {
    const seen = new Set<string>()
    for (const key of ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'] as const)
      for (const [i, line] of (file[section][key] ?? []).entries())
        for (const [name, targets] of Object.entries(line)) {
          const path: Path = [section, key, i, name]
          if (name !== '*') must(path, name)
          if (seen.has(`${key} ${name}`))
            found.push(error(path, `\`${name}\` has a line of ${key} already. Put all of them into one list.`))
          seen.add(`${key} ${name}`)
          for (const [j, target] of targets.entries()) {
            if (target === name) found.push(error([...path, j], `\`${name}\` can't fall back to itself.`))
            else must([...path, j], target)
          }
        }
    for (const [i, name] of (file[section].default_fallbacks ?? []).entries())
      must([section, 'default_fallbacks', i], name)
  }
  for (const [i, { mirror, model_name: name }] of file.model_list.entries()) {
    if (!mirror) continue
    const path: Path = ['model_list', i, 'mirror', 'to']
    if (mirror.to === name) found.push(error(path, `\`${name}\` can't be a copy of itself.`))
    else must(path, mirror.to)
  }
  for (const [name, meant] of Object.entries(file.router_settings.model_group_alias ?? {})) {
    const path: Path = ['router_settings', 'model_group_alias', name]
    const target = typeof meant === 'string' ? meant : meant.model
    if (names.includes(name)) found.push(error(path, `\`${name}\` is a model_name already.`))
    else if (others.includes(target))
      found.push(error(path, `\`${target}\` is another name itself: name the model_name that is meant.`))
    else must(path, target)
  }
  return found
}

/** What may stand in both sections: the router's value wins, and the loser is told. */
function checkBoth(file: FileConfig): Finding[] {
  const { litellm_settings: low, router_settings: high } = file
  const found: Finding[] = []
  const pairs = [
    ['num_retries', low.num_retries, 'num_retries', high.num_retries],
    ['allowed_fails', low.allowed_fails, 'allowed_fails', high.allowed_fails],
    ['request_timeout', low.request_timeout, 'timeout', high.timeout],
    ['fallbacks', low.fallbacks, 'fallbacks', high.fallbacks],
    ['default_fallbacks', low.default_fallbacks, 'default_fallbacks', high.default_fallbacks],
  ] as const
  for (const [word, loser, winnerWord, winner] of pairs)
    if (loser !== undefined && winner !== undefined && !Bun.deepEquals(loser, winner))
      found.push(warning(['litellm_settings', word], `has no effect: \`router_settings.${winnerWord}\` wins.`))
  return found
}

/** Servers that nothing asks, and models that nobody has. */
function checkBackends(file: FileConfig, says: (path: Path) => boolean): Finding[] {
  const found: Finding[] = []
  const bases = file.model_list.map(({ litellm_params: { api_base } }) => api_base)
  const known = bases.filter((base) => base !== undefined).map(serverOf)
  // An address may come from the environment, or from the provider itself.
  const all = bases.length > 0 && !bases.includes(undefined)
  for (const url of Object.keys(file.tollgate.backends)) {
    const path: Path = ['tollgate', 'backends', url]
    const fault = faultOfUrl(url)
    if (fault) found.push(error(path, fault))
    else if (all && !known.includes(serverOf(url))) {
      const near = nearest(url, known)
      found.push(warning(path, `no model has this \`api_base\`.${near ? ` Did you mean \`${near}\`?` : ''}`))
    }
  }
  for (const [i, { model }] of file.tollgate.prewarm.entries())
    if (file.model_list.length > 0 && !isNamed(file, model))
      found.push(error(['tollgate', 'prewarm', i, 'model'], `there is no model_name \`${model}\`.`))
  if (says(['tollgate', 'spill_after']) && file.tollgate.cloud_overflow !== 'on_saturation')
    found.push(warning(['tollgate', 'spill_after'], 'has no effect without `cloud_overflow: on_saturation`.'))
  return found
}

function checkUnbuilt(file: FileConfig): Finding[] {
  const found: Finding[] = []
  for (const key of ['callbacks', 'success_callback', 'failure_callback'] as const) {
    const said = file.litellm_settings[key]
    const names = typeof said === 'string' ? [said] : (said ?? [])
    for (const [i, name] of names.entries()) {
      const path: Path = ['litellm_settings', key, ...(typeof said === 'string' ? [] : [i])]
      found.push(
        warning(path, `the callback \`${name}\` is known from LiteLLM and not built yet: nothing is sent there.`),
      )
    }
  }
  // Part of the schema already, and read by nobody yet.
  const idle = (path: Path) =>
    found.push(warning(path, `\`${path.at(-1)}\` is known from LiteLLM and not built yet: it has no effect here.`))
  for (const [i, { litellm_params: params }] of file.model_list.entries())
    if (params.mock_response !== undefined) idle(['model_list', i, 'litellm_params', 'mock_response'])
  for (const [i, name] of (file.router_settings.optional_pre_call_checks ?? []).entries()) {
    const instead = CHECKED_OTHERWISE[name]
    if (instead !== undefined)
      found.push(
        warning(
          ['router_settings', 'optional_pre_call_checks', i],
          `\`${name}\` is known from LiteLLM and has no effect here: ${instead}`,
        ),
      )
  }
  const strategy = file.router_settings.routing_strategy
  if (strategy === 'lar1')
    found.push(
      warning(
        ['router_settings', 'routing_strategy'],
        `\`${strategy}\` is known from LiteLLM and not built yet: \`simple-shuffle\` stands in.`,
      ),
    )
  return found
}

/** What stands for LiteLLM's checks before a call. */
const CHECKED_OTHERWISE: Readonly<Record<string, string>> = {
  prompt_caching: 'use `routing_strategy: sticky`.',
  deployment_affinity: 'use `routing_strategy: sticky`.',
  session_affinity: 'use `routing_strategy: sticky`.',
  encrypted_content_affinity: 'signed thinking goes to the model that signed it, and is left out elsewhere.',
  router_budget_limiting: 'budgets of providers are always kept.',
  responses_api_deployment_check: 'responses are kept by the gateway itself, whoever gave them.',
  forward_client_headers_by_model_group: 'use `extra_headers` of a target.',
}
