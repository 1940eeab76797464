/** `tollgate key`: makes and manages virtual keys on a running gateway, by LiteLLM's routes. */
import { defineCommand } from 'citty'
import { isDuration } from '../config/duration.ts'
import { keyTable } from './key-table.ts'
import { managementArgs, openGateway } from './management.ts'
import { scanCommand } from './scan/command.ts'
import { plain, table } from './table.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

const create = defineCommand({
  meta: { name: 'create', description: 'Make a key; it is shown once' },
  args: {
    alias: { type: 'string', description: 'A name for people' },
    models: { type: 'string', description: 'Aliases it may use, with commas between; patterns too. Default: all' },
    'max-budget': {
      type: 'string',
      description: 'What it may spend in a budget duration, in US dollars. Default: no limit',
    },
    'budget-duration': { type: 'string', description: 'When the budget begins anew: 1d, 7d, 1mo. Default: never' },
    duration: { type: 'string', description: 'How long it lives: 1h, 30d, 1mo. Default: for ever' },
    rpm: { type: 'string', description: 'Requests a minute. Default: no limit' },
    tpm: { type: 'string', description: 'Tokens a minute. Default: no limit' },
    team: { type: 'string', description: 'The team that it is booked on' },
    user: { type: 'string', description: 'The user that it is booked on' },
    'service-account': { type: 'boolean', description: 'It is the team’s and nobody’s: it lives on when people leave' },
    routes: { type: 'string', description: 'Paths and groups (llm_api_routes) that it may call, with commas between' },
    ips: { type: 'string', description: 'Addresses and ranges that it may come from, with commas between' },
    environment: { type: 'string', description: 'dev, staging or prod. Default: the gateway’s' },
    'rotate-every': { type: 'string', description: 'When its secret is to be replaced: 30d. Default: never' },
    ...managementArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const body = {
      key_alias: args.alias,
      models: listOf(args.models),
      max_budget: amount('max-budget', args['max-budget']),
      budget_duration: period('budget-duration', args['budget-duration']),
      duration: period('duration', args.duration),
      rpm_limit: whole('rpm', args.rpm),
      tpm_limit: whole('tpm', args.tpm),
      team_id: args.team,
      user_id: args.user,
      allowed_routes: listOf(args.routes),
      allowed_ips: listOf(args.ips),
      environment: args.environment,
      ...(args['rotate-every'] === undefined
        ? {}
        : { auto_rotate: true, rotation_interval: period('rotate-every', args['rotate-every']) }),
    }
    if (body.budget_duration !== undefined && body.max_budget === undefined)
      throw new UsageError('`--budget-duration` bounds nothing without `--max-budget`.')
    const path = args['service-account'] ? '/key/service-account/generate' : '/key/generate'
    const answer = (await (await openGateway(args, terminal)).post(path, body)) as { key?: unknown }
    if (args.json) terminal.out(JSON.stringify(answer, null, 2))
    else {
      // Alone on stdout, so that a script can take it: KEY=$(tollgate key create …)
      terminal.out(String(answer.key))
      terminal.err('This is the only time that it is shown.')
    }
    return 0
  },
})

const list = defineCommand({
  meta: { name: 'list', description: 'List the keys' },
  args: managementArgs,
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const client = await openGateway(args, terminal)
    const keys: unknown[] = []
    for (let page = 1, pages = 1; page <= pages; page++) {
      const answer = (await client.get(`/key/list?return_full_object=true&size=100&page=${page}`)) as Page
      keys.push(...(answer.keys ?? []))
      pages = Number(answer.total_pages ?? 1)
    }
    if (args.json) terminal.out(JSON.stringify(keys, null, 2))
    else for (const line of keyTable(keys)) terminal.out(line)
    return 0
  },
})

interface Page {
  keys?: unknown[]
  total_pages?: unknown
}

const remove = defineCommand({
  meta: { name: 'delete', description: 'Delete keys, by themselves or by their aliases' },
  args: {
    key: { type: 'positional', required: false, description: 'Keys, or their hashes' },
    alias: { type: 'string', description: 'Aliases, with commas between' },
    ...managementArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const aliases = listOf(args.alias)
    if (args._.length === 0 && !aliases) throw new UsageError('name the keys to delete, or `--alias`.')
    const client = await openGateway(args, terminal)
    const answer = await client.post('/key/delete', {
      ...(args._.length > 0 ? { keys: args._ } : {}),
      ...(aliases ? { key_aliases: aliases } : {}),
    })
    terminal.out(args.json ? JSON.stringify(answer, null, 2) : 'Deleted.')
    return 0
  },
})

const gate = (name: 'block' | 'unblock', description: string, done: string) =>
  defineCommand({
    meta: { name, description },
    args: { key: { type: 'positional', description: 'The key, or its hash' }, ...managementArgs },
    async run({ args, data }): Promise<ExitCode> {
      const terminal = data as Terminal
      if (args._.length > 1) throw new UsageError('one key at a time.')
      const answer = await (await openGateway(args, terminal)).post(`/key/${name}`, { key: args.key })
      terminal.out(args.json ? JSON.stringify(answer, null, 2) : done)
      return 0
    },
  })

const rotate = defineCommand({
  meta: { name: 'rotate', description: 'Give a key another secret; it is shown once' },
  args: {
    key: { type: 'positional', description: 'The key, its hash or its alias' },
    grace: { type: 'string', description: 'How long the old secret goes on: 24h. Default: it ends at once' },
    ...managementArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    if (args._.length > 1) throw new UsageError('one key at a time.')
    const body = { key: args.key, grace_period: period('grace', args.grace) }
    const answer = (await (await openGateway(args, terminal)).post('/key/regenerate', body)) as { key?: unknown }
    if (args.json) terminal.out(JSON.stringify(answer, null, 2))
    else {
      terminal.out(String(answer.key))
      terminal.err('This is the only time that it is shown.')
    }
    return 0
  },
})

interface Refused {
  keys?: {
    key_alias?: unknown
    key_name?: unknown
    reason?: unknown
    count?: unknown
    last_seen?: unknown
    addresses?: { address?: unknown }[]
  }[]
}

const refused = defineCommand({
  meta: { name: 'refused', description: 'List keys that are still used and no longer let in' },
  args: managementArgs,
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const answer = (await (await openGateway(args, terminal)).get('/key/refused')) as Refused
    const rows = (answer.keys ?? []).map((k) => [
      ...[plain(k.key_alias), plain(k.key_name), plain(k.reason), plain(k.count), plain(k.last_seen).slice(0, 16)],
      plain((k.addresses ?? []).map(({ address }) => address).join(', ')),
    ])
    if (args.json) terminal.out(JSON.stringify(answer, null, 2))
    else if (rows.length === 0) terminal.out('None, since the gateway was started.')
    else for (const line of table(['ALIAS', 'KEY', 'WHY', 'TIMES', 'LAST', 'FROM'], rows)) terminal.out(line)
    return 0
  },
})

export const keyCommand = defineCommand({
  meta: { name: 'key', description: 'Make and manage keys on a running gateway' },
  subCommands: {
    create,
    list,
    delete: remove,
    rotate,
    refused,
    scan: scanCommand,
    block: gate('block', 'Refuse a key until it is unblocked', 'Blocked.'),
    unblock: gate('unblock', 'Let a blocked key in again', 'Unblocked.'),
  },
})

function listOf(said: string | undefined): string[] | undefined {
  const items = said?.split(',').map((item) => item.trim())
  return items?.filter((item) => item !== '')
}

function amount(flag: string, said: string | undefined): number | undefined {
  if (said === undefined) return undefined
  const value = Number(said)
  if (!/^\d*\.?\d+$/.test(said) || !Number.isFinite(value))
    throw new UsageError(`\`--${flag} ${said}\` is no amount: 2.50 is.`)
  return value
}

function whole(flag: string, said: string | undefined): number | undefined {
  if (said === undefined) return undefined
  if (!/^[1-9]\d{0,14}$/.test(said)) throw new UsageError(`\`--${flag} ${said}\` is no whole number from 1.`)
  return Number(said)
}

function period(flag: string, said: string | undefined): string | undefined {
  if (said !== undefined && !isDuration(said))
    throw new UsageError(`\`--${flag} ${said}\` is no duration: 1h, 30d and 1mo are.`)
  return said
}
