/** `tollgate doctor`: the hardening checklist, run on the system as it is. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineCommand } from 'citty'
import type { Config } from '../config/config.ts'
import { findConfig, loadFile } from '../config/files.ts'
import { masterKeyOf } from '../config/master-key.ts'
import { configured } from './doctor/configured.ts'
import { type Finding, type Level, note, ok, warn } from './doctor/finding.ts'
import { ollamas } from './doctor/ollama.ts'
import { askOf, holders, routes, unseen } from './doctor/running.ts'
import { modeOf, modesIn, plainSecrets, secretsIn } from './doctor/secrets.ts'
import { encryption } from './doctor/tls.ts'
import { DEFAULT_URL, whereArgs } from './management.ts'
import { plain } from './table.ts'
import { type ExitCode, type Terminal, Trouble, UsageError } from './terminal.ts'

const ORDER: Readonly<Record<Level, number>> = { error: 0, warn: 1, note: 2, ok: 3 }
const SIGNS: Readonly<Record<Level, string>> = { error: 'ERROR', warn: 'warn ', note: 'note ', ok: 'ok   ' }

export const doctorCommand = defineCommand({
  meta: { name: 'doctor', description: 'Go through the hardening checklist on the system as it is' },
  args: {
    ...whereArgs,
    data: { type: 'string', description: 'Folder of the database. Default: TOLLGATE_DATA, else ./.tollgate' },
    json: { type: 'boolean', description: 'Print the findings as JSON' },
    'fail-on': {
      type: 'string',
      default: 'error',
      description: 'From which findings on the exit code is 1: error or warn',
    },
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const from = args['fail-on']
    if (from !== 'warn' && from !== 'error') throw new UsageError('`--fail-on` is warn or error.')
    const findings = await examine(args, terminal)
    findings.sort((a, b) => ORDER[a.level] - ORDER[b.level])
    const count = (level: Level) => findings.filter((one) => one.level === level).length
    const [errors, warnings] = [count('error'), count('warn')]
    if (args.json) terminal.out(JSON.stringify({ errors, warnings, findings }, null, 2))
    else {
      for (const finding of findings) for (const line of asText(finding)) terminal.out(line)
      terminal.out(`${errors} to mend now, ${warnings} to mend, ${count('note')} to know, ${count('ok')} well.`)
    }
    return errors > 0 || (from === 'warn' && warnings > 0) ? 1 : 0
  },
})

function asText({ level, id, what, why, fix }: Finding): string[] {
  const lines = [`${SIGNS[level]} ${id}: ${plain(what)}`]
  if (why !== undefined) lines.push(`        why: ${plain(why)}`)
  for (const [i, line] of (fix ?? '').split('\n').entries())
    if (line !== '') lines.push(`        ${i === 0 ? 'do:  ' : '     '}${plain(line)}`)
  return lines
}

interface Args {
  url?: string | undefined
  config?: string | undefined
  data?: string | undefined
}

async function examine(args: Args, terminal: Terminal): Promise<Finding[]> {
  const { env } = terminal
  const said = args.url ?? (env.TOLLGATE_URL || DEFAULT_URL)
  if (!URL.canParse(said))
    throw new Trouble(`\`${said}\` is no address. Write for instance --url http://127.0.0.1:4000`)
  const url = new URL(said)
  const found: Finding[] = []
  const config = await onDisk(args, terminal, found)
  found.push(...(await encryption(url, Date.now())))
  const outside = config?.masterKey ? undefined : masterKeyOf(env)
  const key = config?.masterKey ?? (outside && 'key' in outside ? outside.key : undefined)
  const ask = askOf(said.replace(/\/+$/, ''))
  const alive = await ask('GET', '/health/liveliness', undefined)
  if (alive?.status !== 200)
    found.push(
      warn(
        'gateway.away',
        `No gateway answers at ${url.origin}.`,
        'What only a running one shows was left out.',
        'tollgate serve, or name it with --url',
      ),
    )
  else if (!key)
    found.push(
      warn(
        'gateway.key',
        'The master key is not known here.',
        'Routes, keys, roles and budgets were left out.',
        'TOLLGATE_MASTER_KEY=… tollgate doctor, or --config with the file that has it',
      ),
    )
  else found.push(...(await routes(ask, key.reveal())), ...(await holders(ask, key.reveal())))
  found.push(...(await ollamas(ollamasIn(config, env))))
  return [...found, ...unseen]
}

/** The file and the data folder, where they are here. */
async function onDisk(args: Args, terminal: Terminal, found: Finding[]): Promise<Config | undefined> {
  const { env } = terminal
  const file = findConfig(args.config, env)
  let config: Config | undefined
  if (file !== undefined && (args.config !== undefined || existsSync(file))) {
    const { providers, guardKinds } = await terminal.app()
    const loaded = await loadFile(file, env, await providers(), guardKinds())
    const text = readFileSync(file, 'utf8')
    found.push(...secretsIn(file, text), ...modeOf('files.config', file, plainSecrets(text).length > 0))
    if (loaded.ok) {
      config = loaded.config
      found.push(...configured(config))
    } else
      found.push(
        warn(
          'config.wrong',
          `${file} is wrong, so that what it sets was left out.`,
          'A gateway does not start with it.',
          `tollgate check ${file}`,
        ),
      )
  } else found.push(note('config.none', 'No configuration file is here: Tollgate runs on what it finds.'))
  const folder = resolve(args.data ?? (env.TOLLGATE_DATA || '.tollgate'))
  if (existsSync(folder)) found.push(...modesIn(folder))
  else found.push(ok('files.data', `There is no data folder at ${folder}; name it with --data where it is elsewhere.`))
  return config
}

/** Where Ollamas stand, by the configuration; without one, where Ollama itself would say it is. */
function ollamasIn(config: Config | undefined, env: Terminal['env']): string[] {
  const named = config?.models.filter(({ prefix }) => /^ollama(_chat)?$/.test(prefix)) ?? []
  const usual = 'http://127.0.0.1:11434'
  if (config && named.length === 0) return config.models.length > 0 ? [] : [usual]
  const origins = named.map(({ apiBase }) => apiBase ?? (env.OLLAMA_API_BASE || usual))
  return (origins.length > 0 ? origins : [usual]).flatMap((text) => (URL.canParse(text) ? [new URL(text).origin] : []))
}
