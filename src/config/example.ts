/** A configuration file as text, with every setting in it: those that are set, and the others as comments. */
import { stringify } from 'yaml'
import { PRICE_KEYS } from './price.ts'
import { type JsonSchema, jsonSchema } from './schema-json.ts'

export interface ExampleOptions {
  /** For editors: where the JSON Schema lies, from the file's point of view. */
  schema?: string | undefined
  /** Comment lines above everything, without `#`. */
  head: readonly string[]
  models: readonly { model_name: string; litellm_params: Readonly<Record<string, unknown>> }[]
  /** Values of general_settings that are not comments. */
  general?: Readonly<Record<string, string>>
}

/** Text that can be loaded as it is. */
export function exampleYaml({ schema, head, models, general = {} }: ExampleOptions): string {
  const lines = schema ? [`# yaml-language-server: $schema=${schema}`] : []
  lines.push(...head.map((line) => (line === '' ? '#' : `# ${line}`)), '')
  const sections = jsonSchema().properties ?? {}
  lines.push(...comment(sections.model_list, 0), 'model_list:')
  for (const model of models) lines.push(`  - ${flow(model)}`)
  const entry = sections.model_list?.items?.properties ?? {}
  for (const [part, { properties }] of Object.entries(entry)) {
    const keys = Object.keys(properties ?? {}).filter((key) => !PRICE_KEYS.includes(key))
    lines.push(...wrap(properties ? `${part} may say: ${keys.join(', ')}` : `and ${part}`, '  # '))
  }
  lines.push(...wrap(`litellm_params and model_info may both say: ${PRICE_KEYS.join(', ')}`, '  # '))
  for (const [name, section] of Object.entries(sections)) {
    if (name === 'model_list') continue
    const values = name === 'general_settings' ? general : {}
    const active = Object.keys(values).length > 0
    const body = [`${name}:`, ...settings(section, values, active, 1)]
    if (name === 'credential_list') body.push(`  - ${SAMPLES.credential_list}`)
    else if (name === 'guardrails')
      body.push(
        ...Object.entries(section.items?.properties ?? {}).flatMap(([part, schema]) =>
          schema.properties ? wrap(`${part} may say: ${keysIn(schema).join(', ')}`, '  # ') : [],
        ),
        `  - ${SAMPLES.guardrails}`,
      )
    else if (!section.properties) body.push('  NAME: value')
    lines.push('', ...comment(section, 0), ...body.map((line) => (active ? line : `# ${line}`)))
  }
  return `${lines.join('\n')}\n`
}

/** The keys of a map. In an active one those without a value are comments; an idle one is a comment as a whole. */
function settings(
  section: JsonSchema,
  values: Readonly<Record<string, string>>,
  active: boolean,
  depth: number,
): string[] {
  const indent = '  '.repeat(depth)
  return Object.entries(section.properties ?? {}).flatMap(([key, schema]) => {
    const value = values[key]
    const about = comment(schema, depth)
    if (value !== undefined) return [...about, `${indent}${key}: ${stringify(value).trim()}`]
    const off = active ? `${indent}# ` : indent
    const shown = SAMPLES[key]
    if (schema.properties && shown !== undefined) {
      // Its keys exclude each other: one way to say it, and the names of the others.
      const others = wrap(`It may say: ${keysIn(schema).join(', ')}.`, `${indent}# `)
      return [...about, ...others, `${off}${key}: ${shown}`]
    }
    if (schema.properties) return [...about, `${off}${key}:`, ...settings(schema, {}, active, depth + 1)]
    // Each element is one of many: the names of all that it may say.
    const inner = shown !== undefined && schema.items?.properties ? keysIn(schema.items) : []
    const others = inner.length > 12 ? wrap(`It may say: ${[...new Set(inner)].join(', ')}.`, `${indent}# `) : []
    return [...about, ...others, `${off}${key}: ${sample(key, schema)}`]
  })
}

const keysIn = ({ properties = {} }: JsonSchema): string[] =>
  Object.entries(properties).flatMap(([key, schema]) => [key, ...keysIn(schema).map((inner) => `${key}.${inner}`)])

/** A value that the schema takes: its default where it has one. */
function sample(key: string, schema: JsonSchema): string {
  if (schema.default !== undefined) return flow(schema.default)
  const shown = schema.examples?.[0] ?? SAMPLES[key]
  if (shown !== undefined) return shown
  if (schema.enum) return String(schema.enum[0])
  if (schema.type === 'boolean') return 'false'
  if (schema.type === 'array' || schema.anyOf) return '[]'
  if (schema.type === 'string') return '"…"'
  return '1'
}

const SAMPLES: Readonly<Record<string, string>> = {
  guardrails:
    '{ guardrail_name: secrets, litellm_params: { guardrail: secrets, mode: pre_call, default_on: true, on_flagged: redact }, guardrail_info: {} }',
  credential_list:
    '{ credential_name: team-openai, credential_values: { api_key: sk-from-elsewhere }, credential_info: {} }',
  seal_key: 'a-long-random-text-that-nobody-knows',
  cost_discount_config: '{ openai: 0.05 }',
  cost_margin_config: '{ global: 0.1 }',
  max_budget: '100',
  budget_duration: '1mo',
  internal_user_budget_duration: '1mo',
  duration: '30d',
  tag_budget_config: '{ "product:chat": { max_budget: 10, budget_duration: 1d } }',
  provider_budget_config: '{ openai: { budget_limit: 100, time_period: 1d } }',
  budgets: '{ "team:red": { max_budget: 100, budget_duration: 1mo } }',
  model_max_budget: '{ my-model: { max_budget: 5, budget_duration: 1d } }',
  metadata: '{}',
  backends: '{ "http://127.0.0.1:11434": { slots: 4 } }',
  prewarm: '[{ model: my-model, at: "08:00", days: [mon, tue, wed, thu, fri], keep_alive: 10h }]',
  timezone: 'Europe/Berlin',
  only: '[api.openai.com, "*.openai.azure.com", 10.0.0.0/8]',
  auth: '[{ api_key: {} }]',
  trusted_proxies: '[127.0.0.1]',
  trusted_proxy_ranges: '[127.0.0.1]',
  allowed_ips: '[127.0.0.1, 10.0.0.0/8]',
  allow_from: '{ manage: [10.0.0.0/8] }',
  jwt_litellm_role_map: '[{ jwt_role: admins, litellm_role: proxy_admin }]',
  listen: '127.0.0.1:4001',
  url: 'https://gate.example.com',
  webhook: 'https://keeper.example.com/anchors',
  syslog: 'tls://logs.example.com:6514',
  access_log: 'access.log',
  sso: '[{ provider: keycloak, issuer: https://login.example.com/realms/house, client_id: tollgate, allowed_domains: [example.com] }]',
  tls: '{ self_signed: [gpu1.lan, 192.168.1.20] }',
  budget_exceeded_status_code: '422',
  num_retries: '2',
  request_timeout: '600',
  timeout: '600',
  stream_timeout: '60',
  allowed_fails: '3',
  cooldown_time: '5',
  retry_after: '0',
  fallbacks: '[{ my-model: [another-model] }]',
  default_fallbacks: '[another-model]',
  priority_reservation: '{ interactive: 0.7, batch: 0.3 }',
  rate: '10r/m burst 5',
  per_model: '{ my-model: { rpm: 60 } }',
  model_group_retry_policy: '{ my-model: { TimeoutErrorRetries: 1 } }',
  context_window_fallbacks: '[{ my-model: [another-model] }]',
  content_policy_fallbacks: '[{ my-model: [another-model] }]',
  model_group_alias: '{ another-name: my-model }',
  master_key: 'os.environ/LITELLM_MASTER_KEY',
  key_header: 'X-My-Key',
  litellm_key_header_name: 'X-My-Key',
}

const flow = (value: unknown): string => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()

const WIDTH = 110

const comment = (schema: JsonSchema | undefined, depth: number): string[] =>
  wrap(schema?.description ?? '', `${'  '.repeat(depth)}# `)

function wrap(text: string, prefix: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines.map((said) => prefix + said)
}
