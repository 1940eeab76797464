/** What is told when the gateway stands: where, what it found, and a first request that works as pasted. */
import { relative } from 'node:path'
import type { Config } from '../config/config.ts'
import { firstToTry } from '../config/discover.ts'
import type { Env } from '../config/interpolate.ts'
import { masterKeyVariable } from '../config/master-key.ts'
import type { Started } from '../config/start.ts'

export interface BannerFacts {
  started: Started
  config: Config
  /** The configuration file; undefined where everything was discovered. */
  file?: string | undefined
  /** What was looked for, one line each. */
  found: readonly string[]
  dataDir: string
  env: Env
}

export function banner(facts: BannerFacts): string[] {
  const { started, config, file, found, dataDir } = facts
  const aliases = [...new Set(config.models.map((model) => model.alias))]
  const { expression, note } = keyForShell(facts)
  const short = relative('.', dataDir)
  return [
    '',
    `Tollgate listens on ${started.url}`,
    ...(started.adminUrl ? [`  management     ${started.adminUrl}`] : []),
    ...(file ? [`  configuration  ${file}`] : ['  configuration  none; what was found:']),
    ...found.map((line) => `    ${line}`),
    `  models         ${aliases.slice(0, 8).join(', ')}${aliases.length > 8 ? ` and ${aliases.length - 8} more` : ''}`,
    `  data           ${short.startsWith('..') || short === '' ? dataDir : `./${short}`}`,
    ...(started.madeMasterKey
      ? [`  master key     ${started.madeMasterKey}`, '                 made just now and not shown again: keep it']
      : []),
    '',
    'Try it:',
    ...(note ? [`  # ${note}`] : []),
    ...curl(reachable(started.url), expression, firstModel(config)),
    '',
  ]
}

/** What listens everywhere is reached at the loopback. */
const reachable = (url: string): string =>
  url.replace(/\/\/(0\.0\.0\.0|\[::\])(?=[:/]|$)/, '//127.0.0.1').replace(/\/$/, '')

function firstModel(config: Config): string {
  const able = config.models.filter((model) => (model.info.mode ?? 'chat') === 'chat')
  return firstToTry((able.length > 0 ? able : config.models).map((model) => ({ model_name: model.alias })))
}

/** For `sh`: single quotes take everything but themselves. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

function curl(url: string, key: string, model: string): string[] {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello!' }] })
  return [
    `  curl ${url}/v1/chat/completions \\`,
    `    -H "Authorization: Bearer ${key}" \\`,
    '    -H "Content-Type: application/json" \\',
    `    -d ${quoted(body)}`,
  ]
}

/** The master key as the shell gets it without its being shown: only a new one is ever printed. */
function keyForShell({ started, config, env, file }: BannerFacts): { expression: string; note?: string } {
  if (started.madeMasterKey) return { expression: started.madeMasterKey }
  if (config.masterKeyShell) return { expression: config.masterKeyShell }
  if (config.masterKey)
    return {
      expression: '$TOLLGATE_MASTER_KEY',
      note: `first: export TOLLGATE_MASTER_KEY=… (the master_key in ${file ?? 'your file'})`,
    }
  const variable = masterKeyVariable(env)
  if (variable) return { expression: `$${variable}` }
  return {
    expression: '$TOLLGATE_MASTER_KEY',
    note: 'first: export TOLLGATE_MASTER_KEY=… (it was shown at the first start)',
  }
}
