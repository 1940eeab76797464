/** What the schema of alerts can't say: names that must be there, addresses that the environment must know. */
import type { z } from 'zod'
import { parseCondition } from '../core/alert/condition.ts'
import { metricOf } from '../core/alert/metric.ts'
import { USUAL_RULES } from '../core/alert/rule.ts'
import {
  type alertSettings,
  type LiteLLMWords,
  litellmChannels,
  named,
  nameIn,
  needed,
  TYPES,
  VARIABLES,
} from './alerts.ts'
import type { Finding } from './explain.ts'
import type { Env } from './interpolate.ts'
import type { Path } from './problem.ts'

/** @param env where LiteLLM looks for addresses */
export function checkAlerts(said: z.output<typeof alertSettings>, general: LiteLLMWords, env: Env): Finding[] {
  const found: Finding[] = []
  const tell = (severity: 'error' | 'warning', path: Path, message: string) => found.push({ path, message, severity })
  for (const [i, kind] of (general.alerting ?? []).entries()) {
    const path: Path = ['general_settings', 'alerting', i]
    const variables = VARIABLES[kind]
    if (kind === 'email')
      tell(
        'error',
        path,
        'needs to know to whom: write `tollgate.alerts.channels: [{ type: email, host: …, from: …, to: […] }]`.',
      )
    else if (!variables)
      tell('error', path, `\`${kind}\` is no channel. There are ${Object.keys(VARIABLES).join(', ')}.`)
    else if (!needed(kind, env)) tell('error', path, `needs ${variables.join(' or ')} in the environment.`)
  }
  const types = [...(general.alert_types ?? []), ...Object.keys(general.alert_to_webhook_url ?? {})]
  for (const type of types)
    if (!TYPES[type]) tell('warning', ['general_settings', 'alert_types'], `\`${type}\` is not told of by alerts here.`)
  for (const name of Object.keys(general.alerting_args ?? {}))
    if (name !== 'budget_alert_ttl')
      tell('warning', ['general_settings', 'alerting_args', name], 'has no effect here: docs/alerts.md says what has.')
  const rules = Array.isArray(said.rules)
    ? said.rules.map((rule) => [nameIn(rule), rule] as const)
    : Object.entries(said.rules)
  const channels = new Set([...named(said.channels), ...litellmChannels(general, env)].map(({ name }) => name))
  for (const [name, rule] of rules) {
    const path: Path = ['tollgate', 'alerts', 'rules']
    const isUsual = USUAL_RULES.some((usual) => usual.name === name)
    if (rule === false && !isUsual)
      tell('error', path, `\`${name}\` is none of the usual rules: ${USUAL_RULES.map((one) => one.name).join(', ')}.`)
    if (typeof rule !== 'object') continue
    if (rule.condition === undefined && !isUsual) tell('error', path, `\`${name}\` needs a condition.`)
    for (const channel of rule.channels ?? [])
      if (!channels.has(channel))
        tell('error', path, `\`${name}\` names the channel \`${channel}\`, which is not there.`)
    const text = rule.condition ?? USUAL_RULES.find((usual) => usual.name === name)?.condition.text
    const per = rule.per ?? (text === undefined ? undefined : metricOf(parseCondition(text).metric).per)
    if (rule.actions?.length && per !== 'key')
      tell('error', path, `\`${name}\` acts on keys, and its condition is not of keys: say \`per: key\`.`)
  }
  return found
}
