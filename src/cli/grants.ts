/** `tollgate grants`: who asks for leave to use a model, and the operator's answers, on a running gateway. */
import { defineCommand } from 'citty'
import { isDuration } from '../config/duration.ts'
import { managementArgs, openGateway } from './management.ts'
import { plain, table } from './table.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

const HEAD = ['ID', 'KEY', 'MODEL', 'STATE', 'ASKED', 'FOR', 'UNTIL', 'REASON'] as const

const list = defineCommand({
  meta: { name: 'list', description: 'List what was asked for, the newest first' },
  args: {
    state: { type: 'string', description: 'Only asked, given, refused, ended or expired' },
    ...managementArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const query = args.state ? `&state=${encodeURIComponent(args.state)}` : ''
    const answer = await (await openGateway(args, terminal)).get(`/grant/list?size=1000${query}`)
    const { grants = [] } = answer as { grants?: Record<string, unknown>[] }
    if (args.json) terminal.out(JSON.stringify(grants, null, 2))
    else if (grants.length === 0) terminal.out('Nobody has asked.')
    else for (const line of table(HEAD, grants.map(row))) terminal.out(line)
    return 0
  },
})

const minute = (value: unknown): string => plain(value).slice(0, 16)

const row = (grant: Record<string, unknown>): string[] => [
  plain(grant.id),
  plain(grant.key_alias ?? grant.key).slice(0, 32),
  plain(grant.model),
  plain(grant.state),
  minute(grant.asked_at),
  plain(grant.duration ?? '-'),
  minute(grant.expires_at ?? '-'),
  plain(grant.reason).slice(0, 80),
]

const approve = defineCommand({
  meta: { name: 'approve', description: 'Give leave for a time' },
  args: {
    id: { type: 'positional', description: 'The id of what was asked' },
    for: { type: 'string', description: 'For how long: 3d, 1mo. Default: as long as the key asked for' },
    ...managementArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    if (args.for !== undefined && !isDuration(args.for))
      throw new UsageError(`\`--for ${args.for}\` is no duration: 1h, 30d and 1mo are.`)
    return decide('approve', args, { expires_in: args.for }, data as Terminal)
  },
})

const step = (name: 'refuse' | 'revoke', description: string) =>
  defineCommand({
    meta: { name, description },
    args: {
      id: { type: 'positional', description: 'The id of what was asked' },
      reason: { type: 'string', description: 'Why, for the record' },
      ...managementArgs,
    },
    run: ({ args, data }): Promise<ExitCode> => decide(name, args, { reason: args.reason }, data as Terminal),
  })

interface Deciding {
  _: string[]
  id?: string | undefined
  url?: string | undefined
  config?: string | undefined
  json?: boolean | undefined
}

async function decide(
  name: string,
  args: Deciding,
  more: Record<string, unknown>,
  terminal: Terminal,
): Promise<ExitCode> {
  if (args._.length > 1) throw new UsageError('one at a time.')
  const answer = (await (await openGateway(args, terminal)).post(`/grant/${name}`, { id: args.id, ...more })) as {
    expires_at?: unknown
    key_alias?: unknown
    key?: unknown
    model?: unknown
  }
  if (args.json) terminal.out(JSON.stringify(answer, null, 2))
  else {
    const what = `${plain(answer.model)} for ${plain(answer.key_alias ?? answer.key)}`
    const told = { approve: `Given until ${minute(answer.expires_at)}: ${what}.`, refuse: `Refused: ${what}.` }
    terminal.out(told[name as keyof typeof told] ?? `Taken back: ${what}.`)
  }
  return 0
}

export const grantsCommand = defineCommand({
  meta: { name: 'grants', description: 'Decide who may use models that need leave, on a running gateway' },
  subCommands: {
    list,
    approve,
    refuse: step('refuse', 'Say no to what was asked'),
    revoke: step('revoke', 'Take back what was given'),
  },
})
