/** Alerts: rules, and channels that they are told on. LiteLLM's words (`alerting`, `alert_types`, …) make rules and channels, too. */
import { z } from 'zod'
import { type Condition, parseCondition } from '../core/alert/condition.ts'
import { metricOf, REQUEST_SUBJECTS, type SubjectKind } from '../core/alert/metric.ts'
import { type Action, type Rule, SEVERITIES, type Severity, USUAL_RULES } from '../core/alert/rule.ts'
import type { Env } from './interpolate.ts'

const condition = z.string().superRefine((text, context) => {
  try {
    parseCondition(text)
  } catch (cause) {
    context.addIssue({ code: 'custom', message: (cause as Error).message })
  }
})

const action = z.union([
  z.literal('block_key'),
  z.strictObject({
    lower_limit: z
      .strictObject({
        rpm: z.number().int().min(1).max(1_000_000).describe('Requests a minute that the key may make from then on.'),
      })
      .describe('Lowers the limit of the key.'),
  }),
])

const fullRule = z.strictObject({
  name: z.string().min(1).max(64).optional().describe('What it is called, in a list. Default: its condition.'),
  condition: condition.optional().describe('When it holds: docs/alerts.md has the language.'),
  severity: z.enum(SEVERITIES).optional().describe('How grave it is. Default: that of the usual rule, else warning.'),
  per: z
    .enum(REQUEST_SUBJECTS as [SubjectKind, ...SubjectKind[]])
    .optional()
    .describe('Whose requests are counted. Default: as the number is counted usually.'),
  channels: z.array(z.string().min(1)).optional().describe('Where it is told. Default: by its severity.'),
  actions: z.array(action).max(5).optional().describe('What is done to the key until somebody looks.'),
  for: z.number().min(0).max(86_400).optional().describe('How long it has to hold before it is told, in seconds.'),
})

const common = {
  name: z.string().min(1).max(64).optional().describe('What rules call it. Default: its type.'),
  severity: z.enum(SEVERITIES).default('info').describe('The least grave that is told there.'),
}
const address = z.url({ protocol: /^https?$/, error: 'must be an http or https address' })

const channel = z.discriminatedUnion('type', [
  z.strictObject({ ...common, type: z.literal('slack'), url: address }),
  z.strictObject({ ...common, type: z.literal('discord'), url: address }),
  z.strictObject({ ...common, type: z.literal('teams'), url: address }),
  z.strictObject({ ...common, type: z.literal('webhook'), url: address, secret: z.string().min(16).optional() }),
  z.strictObject({
    ...common,
    type: z.literal('pagerduty'),
    routing_key: z.string().min(1),
    url: address.default('https://events.pagerduty.com'),
  }),
  z.strictObject({
    ...common,
    type: z.literal('email'),
    host: z.string().min(1),
    port: z.number().int().min(1).max(65_535).default(587),
    user: z.string().optional(),
    password: z.string().optional(),
    tls: z.boolean().default(false),
    plain: z.boolean().default(false),
    from: z.string().min(3),
    to: z.array(z.string().min(3)).min(1).max(50),
  }),
])

export const alertSettings = z
  .strictObject({
    rules: z
      .union([
        z.array(z.union([condition, fullRule])),
        z.record(z.string(), z.union([z.literal(false), condition, fullRule])),
      ])
      .default([])
      .describe(
        'Rules beside the usual ones, or in place of one of the same name: a list of conditions (`hourly_cost > 3 * average`) and of `{ name, condition, severity, per, channels, actions, for }`, or a map of them by name, where `false` switches a usual one off. A rule has a `name`, a `condition`, a `severity`; `per` is whose requests are counted, `channels` where it is told, `for` how many seconds it has to hold, and `actions` are `block_key` and `{ lower_limit: { rpm: 5 } }` (`lower_limit`, `rpm`). docs/alerts.md names the usual ones.',
      ),
    channels: z
      .array(channel)
      .max(50)
      .default([])
      .describe(
        'Where alerts are told: slack, discord, teams, pagerduty, email, webhook. Without any, in the log and at `GET /alerts`.',
      ),
    every: z.number().min(0.1).max(3_600).default(5).describe('Between two looks, in seconds.'),
    group: z
      .number()
      .min(0)
      .max(3_600)
      .default(10)
      .describe('What begins within this time is told together, in seconds.'),
    repeat: z
      .number()
      .min(1)
      .max(2_592_000)
      .default(14_400)
      .describe('After so long it is told again what still holds and nobody has looked at, in seconds.'),
    over: z
      .number()
      .min(0)
      .max(86_400)
      .default(300)
      .describe('After so long without its condition an alert is over, in seconds.'),
  })
  .prefault({})
  .describe('What is watched, and where it is told: docs/alerts.md.')

export interface ChannelConfig {
  name: string
  severity: Severity
  /** As its type needs it. */
  said: z.output<typeof channel>
}

export interface AlertsConfig {
  rules: readonly Rule[]
  channels: readonly ChannelConfig[]
  everyMs: number
  groupMs: number
  repeatMs: number
  overMs: number
  /** From which an answer is slow, and a request hangs. */
  slowMs: number
}

/** LiteLLM's alert types, and the usual rules that they stand for. */
export const TYPES: Readonly<Record<string, readonly string[]>> = {
  llm_exceptions: ['errors'],
  llm_too_slow: ['slow_target'],
  llm_requests_hanging: ['hanging'],
  budget_alerts: ['budget', 'budget_spent'],
  user_spend_thresholds: ['budget', 'budget_spent'],
  user_spend_anomalies: ['cost_spike', 'unusual_traffic'],
  db_exceptions: ['ledger', 'audit', 'hold_leak', 'disk'],
  failed_tracking_spend: ['price_unknown', 'hold_leak'],
  cooldown_deployment: ['target_down'],
  outage_alerts: ['target_down'],
  region_outage_alerts: ['target_down'],
}
/** Rules that LiteLLM has no type for: they stay, whatever types are chosen. */
const OWN = ['failed_auth', 'new_model', 'guardrails', 'certificate', 'key_expiry', 'gpu_spilled']

export interface LiteLLMWords {
  alerting?: string[] | undefined
  alert_types?: string[] | undefined
  alert_to_webhook_url?: Record<string, string | string[]> | undefined
  alerting_threshold?: number | undefined
  alerting_args?: Record<string, unknown> | undefined
}

export function alertsOf(said: z.output<typeof alertSettings>, words: LiteLLMWords, env: Env): AlertsConfig {
  const own = rulesOf(said.rules)
  const chosen = words.alert_types && new Set([...OWN, ...words.alert_types.flatMap((type) => TYPES[type] ?? [])])
  const usual = USUAL_RULES.filter(
    ({ name }) => !own.off.has(name) && (!chosen || chosen.has(name) || own.all.has(name)),
  )
  const perType = Object.entries(words.alert_to_webhook_url ?? {}).flatMap(([type, urls]) =>
    [urls]
      .flat()
      .map((url, i) => ({ rules: TYPES[type] ?? [], channel: chatAt(`${type}${i === 0 ? '' : `#${i + 1}`}`, url) })),
  )
  const rules = [...usual.map((rule) => own.all.get(rule.name) ?? rule), ...own.more].map((rule): Rule => {
    const names = perType.filter((one) => one.rules.includes(rule.name)).map(({ channel: { name } }) => name)
    return names.length > 0 && !rule.channels ? { ...rule, channels: names } : rule
  })
  const ttl = words.alerting_args?.budget_alert_ttl
  return {
    rules,
    channels: [...named(said.channels), ...litellmChannels(words, env), ...perType.map(({ channel }) => channel)],
    everyMs: said.every * 1_000,
    groupMs: said.group * 1_000,
    repeatMs: (typeof ttl === 'number' ? ttl : said.repeat) * 1_000,
    overMs: said.over * 1_000,
    slowMs: (words.alerting_threshold ?? 300) * 1_000,
  }
}

function rulesOf(said: z.output<typeof alertSettings>['rules']): {
  all: Map<string, Rule>
  more: Rule[]
  off: Set<string>
} {
  const all = new Map<string, Rule>()
  const off = new Set<string>()
  const entries = Array.isArray(said)
    ? said.map((rule) => [nameIn(rule), rule] as const)
    : Object.entries(said).map(([name, rule]) => [name, rule] as const)
  for (const [name, rule] of entries) {
    if (rule === false) off.add(name)
    else all.set(name, ruleOf(name, rule))
  }
  const more = [...all.values()].filter(({ name }) => !USUAL_RULES.some((usual) => usual.name === name))
  return { all, more, off }
}

type Said = string | z.output<typeof fullRule>

/** A condition of a list is the usual rule with the same words, or one that is called by them. */
export function nameIn(rule: Said): string {
  const text = typeof rule === 'string' ? rule : (rule.condition ?? '')
  if (typeof rule !== 'string' && rule.name !== undefined) return rule.name
  const same = USUAL_RULES.find(({ condition }) => words(condition.text) === words(text))
  return same?.name ?? text.trim()
}

const words = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ').trim()

function ruleOf(name: string, said: Said): Rule {
  const usual = USUAL_RULES.find((rule) => rule.name === name)
  const full = typeof said === 'string' ? { condition: said } : said
  const condition: Condition = full.condition === undefined ? (usual as Rule).condition : parseCondition(full.condition)
  return {
    name,
    condition,
    severity: ('severity' in full && full.severity) || usual?.severity || 'warning',
    per: ('per' in full && full.per) || metricOf(condition.metric).per,
    actions: 'actions' in full && full.actions ? full.actions.map(actionOf) : [],
    channels: 'channels' in full ? full.channels : undefined,
    forMs: ('for' in full && full.for !== undefined ? full.for : (usual?.forMs ?? 0) / 1_000) * 1_000,
  }
}

const actionOf = (said: z.output<typeof action>): Action =>
  said === 'block_key' ? { kind: 'block_key' } : { kind: 'lower_limit', rpm: said.lower_limit.rpm }

export function named(said: z.output<typeof alertSettings>['channels']): ChannelConfig[] {
  const counts = new Map<string, number>()
  return said.map((one) => {
    const base = one.name ?? one.type
    const n = (counts.get(base) ?? 0) + 1
    counts.set(base, n)
    return { name: n === 1 ? base : `${base}#${n}`, severity: one.severity, said: one }
  })
}

/** LiteLLM takes Discord's and Teams' addresses in Slack's place. */
function chatAt(name: string, url: string): ChannelConfig {
  const type =
    /discord(app)?\.com\//.test(url) && !url.endsWith('/slack')
      ? 'discord'
      : /\.(office|logic\.azure|powerplatform)\.com/.test(url)
        ? 'teams'
        : 'slack'
  return { name, severity: 'info', said: { type, url, severity: 'info' } }
}

export function litellmChannels({ alerting = [] }: LiteLLMWords, env: Env): ChannelConfig[] {
  return alerting.flatMap((kind): ChannelConfig[] => {
    const at = needed(kind, env)
    if (kind === 'webhook' && at)
      return [{ name: 'webhook', severity: 'info', said: { type: 'webhook', url: at, severity: 'info' } }]
    if (kind === 'pagerduty' && at)
      return [
        {
          ...{ name: 'pagerduty', severity: 'error' },
          said: { type: 'pagerduty', routing_key: at, url: 'https://events.pagerduty.com', severity: 'error' },
        },
      ]
    return (kind === 'slack' || kind === 'msteams') && at ? [chatAt(kind, at)] : []
  })
}

/** Where LiteLLM looks for it. */
export const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  slack: ['SLACK_WEBHOOK_URL', 'ALERTING_WEBHOOK_URL'],
  msteams: ['MS_TEAMS_WEBHOOK_URL', 'ALERTING_WEBHOOK_URL'],
  webhook: ['WEBHOOK_URL'],
  pagerduty: ['PAGERDUTY_API_KEY'],
}

export const needed = (kind: string, env: Env): string | undefined =>
  (VARIABLES[kind] ?? []).map((name) => env[name]).find((value) => value !== undefined && value !== '')
