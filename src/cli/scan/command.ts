/** `tollgate key scan`: keys that lie in files or in a repository's history. Prints places and masked values only. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defineCommand } from 'citty'
import { masked } from '../../secrets/formats.ts'
import { managementArgs, openGateway } from '../management.ts'
import { counted } from '../report.ts'
import { plain, table } from '../table.ts'
import { type ExitCode, type Terminal, Trouble } from '../terminal.ts'
import { type Finding, Findings } from './findings.ts'
import { scanFolder } from './folder.ts'
import { scanHistory } from './git.ts'

/** Keys that are asked for at a time. */
const AT_ONCE = 1_000
/** Places of a key in the table. */
const SHOWN_PLACES = 3

export const scanCommand = defineCommand({
  meta: {
    name: 'scan',
    description: 'Find keys in a folder or a git history; exit code 1 where there are any',
  },
  args: {
    where: {
      type: 'positional',
      required: false,
      description: 'A folder or file; `git`: the history here. Default: .',
    },
    git: { type: 'boolean', description: 'Look through all of the history of the repository there' },
    data: { type: 'string', description: "Ask a data folder which keys are the gateway's, in place of a running one" },
    'no-check': { type: 'boolean', description: 'Ask nobody which keys are a gateway’s' },
    ...managementArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const isGit = args.git === true || args.where === 'git'
    const root = resolve(args.where === undefined || args.where === 'git' ? '.' : args.where)
    const findings = new Findings()
    if (isGit) {
      const read = await scanHistory(root, findings)
      terminal.err(`${counted(read, 'object')} of the history read.`)
    } else {
      const { read, unread } = await scanFolder(root, findings)
      terminal.err(`${counted(read, 'file')} read.`)
      if (unread.length > 0)
        terminal.err(`Not read: ${unread.slice(0, 20).join(', ')}${unread.length > 20 ? ', …' : ''}`)
    }
    // citty reads `--no-check` as `check: false`.
    if ((args as { check?: boolean }).check !== false && args['no-check'] !== true)
      await describe(findings.candidates, args, terminal)
    const told = findings.told
    if (args.json) terminal.out(JSON.stringify({ findings: told.map(shown), beyond: findings.beyond }, null, 2))
    else if (told.length === 0) terminal.out('No keys were found.')
    else for (const line of table(['KEY', 'WHOSE', 'STATE', 'WHERE'], told.map(row))) terminal.out(line)
    if (findings.beyond > 0) terminal.err(`And ${findings.beyond} more hits, which are too many to tell.`)
    return told.length > 0 ? 1 : 0
  },
})

type Asked = { data?: string | undefined; url?: string | undefined; config?: string | undefined }

/** Says of each what the gateway knows. Only what could be its own is asked for; other providers' keys go nowhere. */
async function describe(candidates: readonly Finding[], args: Asked, terminal: Terminal): Promise<void> {
  if (candidates.length === 0) return
  const ask = await whom(args, terminal)
  if (!ask) return
  for (let from = 0; from < candidates.length; from += AT_ONCE) {
    const some = candidates.slice(from, from + AT_ONCE)
    const known = await ask(some.map(({ secret }) => secret))
    for (const [i, finding] of some.entries()) finding.known = known[i]
  }
}

type Ask = (secrets: string[]) => Promise<Finding['known'][]>

async function whom(args: Asked, terminal: Terminal): Promise<Ask | undefined> {
  if (args.data !== undefined) {
    const folder = resolve(args.data)
    if (!existsSync(join(folder, 'tollgate.sqlite'))) throw new Trouble(`there is no database in ${folder}.`)
    const { lookUpKeys } = await import('../../store/look-up.ts')
    try {
      const known = lookUpKeys(folder, Date.now())
      return async (secrets) => secrets.map(known)
    } catch (cause) {
      throw new Trouble((cause as Error).message)
    }
  }
  try {
    const client = await openGateway(args, terminal)
    // Whether it is there at all, before any key is sent.
    await client.get('/health/readiness')
    return async (secrets) =>
      ((await client.post('/key/check', { keys: secrets })) as { keys: Finding['known'][] }).keys
  } catch (cause) {
    if (args.url !== undefined || args.config !== undefined || !(cause instanceof Trouble)) throw cause
    terminal.err(`No gateway was asked whether keys are its own: ${cause.message}`)
    return undefined
  }
}

const whose = ({ format, known }: Finding): string =>
  format.kind !== 'sk-'
    ? format.kind
    : known && known.state !== 'unknown'
      ? 'Tollgate'
      : "Tollgate's or LiteLLM's shape"

const stateOf = ({ format, known }: Finding): string => {
  if (format.kind !== 'sk-') return ''
  if (!known) return 'not checked'
  const name = known.key_alias ?? known.token
  return name ? `${known.state} (${name})` : known.state
}

function row(finding: Finding): string[] {
  const { places, count } = finding
  const more = count > SHOWN_PLACES ? ` and ${count - SHOWN_PLACES} more` : ''
  return [
    plain(masked(finding.secret, finding.format)),
    whose(finding),
    plain(stateOf(finding)),
    plain(places.slice(0, SHOWN_PLACES).join(', ')) + more,
  ]
}

const shown = (finding: Finding): Record<string, unknown> => ({
  key: masked(finding.secret, finding.format),
  whose: whose(finding),
  state: finding.format.kind === 'sk-' ? (finding.known?.state ?? 'not checked') : null,
  token: finding.known?.token ?? null,
  key_alias: finding.known?.key_alias ?? null,
  count: finding.count,
  places: finding.places,
})
