/** `tollgate alerts`: what holds at a running gateway, a test of the channels, and rules over the past. */
import { defineCommand } from 'citty'
import type { Past } from '../alerts/replay.ts'
import { blockedIn, endedAs } from '../alerts/sample.ts'
import { CHAINS } from '../core/audit-entry.ts'
import { auditOf } from './audit.ts'
import { managementArgs, openGateway } from './management.ts'
import { momentOf } from './moment.ts'
import { counted } from './report.ts'
import { settle } from './settle.ts'
import { plain, table } from './table.ts'
import { type ExitCode, type Terminal, Trouble, UsageError } from './terminal.ts'

type Json = Record<string, unknown>

const list = defineCommand({
  meta: { name: 'list', description: 'What holds now, and what is over lately' },
  args: managementArgs,
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const told = (await (await openGateway(args, terminal)).get('/alerts')) as { open?: Json[]; recent?: Json[] }
    if (args.json) {
      terminal.out(JSON.stringify(told, null, 2))
      return 0
    }
    const { open = [], recent = [] } = told
    const rows = [...open.map((alert) => ({ ...alert, resolved_at: 'holds' })), ...recent].map((alert: Json) => [
      ...[alert.id, alert.severity, alert.rule, alert.subject].map(plain),
      minute(alert.since),
      minute(alert.resolved_at),
      plain(alert.message).slice(0, 100),
    ])
    if (rows.length === 0) terminal.out('Nothing holds, and nothing did lately.')
    else
      for (const line of table(['ID', 'SEVERITY', 'RULE', 'SUBJECT', 'SINCE', 'UNTIL', 'MESSAGE'], rows))
        terminal.out(line)
    return 0
  },
})

const minute = (value: unknown): string => plain(value).slice(0, 16)

const look = defineCommand({
  meta: {
    name: 'look',
    description: 'Say that somebody has looked: what an alert did is undone, and it is not told again',
  },
  args: {
    id: { type: 'positional', description: 'The id of the alert' },
    keep: { type: 'boolean', description: 'What it did stays: a blocked key stays blocked' },
    ...managementArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const body = { id: args.id, ...(args.keep ? { keep: true } : {}) }
    const told = await (await openGateway(args, terminal)).post('/alerts/look', body)
    terminal.out(args.json ? JSON.stringify(told, null, 2) : `${args.id}: looked at.`)
    return 0
  },
})

const test = defineCommand({
  meta: { name: 'test', description: 'Send a test to each channel of the configuration. No gateway needs to run' },
  args: {
    channel: { type: 'string', description: 'Only this one' },
    config: { type: 'string', description: 'Configuration file. Default: TOLLGATE_CONFIG, else tollgate.yaml' },
    json: { type: 'boolean', description: 'Print what became of each as JSON' },
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const app = await terminal.app()
    const settled = await settle(args.config, app, terminal, 'Nothing was sent.')
    if (!settled) return 1
    const results = await app.testAlerts(settled.config, terminal.env, args.channel)
    if (results.length === 0)
      throw new Trouble(
        args.channel === undefined
          ? 'no channel is configured: tollgate.alerts.channels, or general_settings.alerting.'
          : `there is no channel '${args.channel}'. There are ${settled.config.alerts.channels.map(({ name }) => name).join(', ') || 'none'}.`,
      )
    if (args.json) terminal.out(JSON.stringify(results, null, 2))
    else for (const { channel, kind, told } of results) terminal.out(`${channel} (${kind}): ${told ?? 'delivered'}`)
    return results.every(({ ok }) => ok) ? 0 : 1
  },
})

const replayCommand = defineCommand({
  meta: {
    name: 'replay',
    description: 'Run the rules over what the audit of requests knows of the past. Nothing is sent',
  },
  args: {
    from: { type: 'string', description: 'Day or moment to begin at. Default: a week ago' },
    to: { type: 'string', description: 'Day or moment to end before. Default: now' },
    data: { type: 'string', description: 'Folder of the database. Default: TOLLGATE_DATA, else ./.tollgate' },
    config: {
      type: 'string',
      description: 'Configuration file with the rules. Default: TOLLGATE_CONFIG, else tollgate.yaml',
    },
    json: { type: 'boolean', description: 'Print the alerts as JSON' },
  },
  run: ({ args, data }) => replayPast(args, data as Terminal),
})

const DAY_MS = 86_400_000
/** Habits are learnt from so long before. */
const LEARN_MS = 35 * DAY_MS

interface ReplayArgs {
  from?: string | undefined
  to?: string | undefined
  data?: string | undefined
  config?: string | undefined
  json?: boolean | undefined
}

async function replayPast(args: ReplayArgs, terminal: Terminal): Promise<ExitCode> {
  const now = Date.now()
  const to = args.to === undefined ? now : momentOf(args.to, '--to')
  const from = args.from === undefined ? to - 7 * DAY_MS : momentOf(args.from, '--from')
  if (from >= to) throw new UsageError('`--from` has to lie before `--to`.')
  const settled = await settle(args.config, await terminal.app(), terminal, 'Nothing was replayed.')
  if (!settled) return 1
  const { rules, slowMs, everyMs, repeatMs, overMs } = settled.config.alerts
  const { Watch } = await import('../alerts/watch.ts')
  const { replay } = await import('../alerts/replay.ts')
  const { file, keys } = await auditOf(args.data, terminal)
  try {
    const names = new Map(file.keyIds().map((id) => [keys.key(id), id]))
    const past = pastOf(file.rows(CHAINS.requests), from - LEARN_MS, names)
    const { alerts, seen } = replay(new Watch(rules, slowMs), past, from, to, everyMs, { repeatMs, overMs })
    if (seen === 0) throw new Trouble('the audit of requests knows nothing of that time (tollgate.audit.requests).')
    if (args.json) terminal.out(JSON.stringify({ seen, alerts }, null, 2))
    else {
      const rows = alerts.map((alert) => [
        new Date(alert.since).toISOString().slice(0, 19),
        ...[alert.severity, alert.rule, alert.subject, alert.text],
      ])
      for (const line of table(['TIME', 'SEVERITY', 'RULE', 'SUBJECT', 'MESSAGE'], rows)) terminal.out(line)
      terminal.out(`${counted(seen, 'request')} gone through: ${counted(alerts.length, 'alert')}.`)
    }
    return 0
  } finally {
    file.close()
  }
}

/** Faults that somebody makes who guesses. */
const GUESSES = new Set(['invalid_api_key', 'invalid_credentials', 'too_many_attempts'])

/** Entries of the audit as alerts are told of requests. @param names ids of keys by their digests */
function* pastOf(rows: Iterable<{ body: string }>, after: number, names: ReadonlyMap<string, string>): Generator<Past> {
  for (const { body } of rows) {
    const entry = JSON.parse(body) as Json
    const at = Date.parse(String(entry.time ?? entry.to))
    if (!(at >= after) || entry.own !== undefined) continue
    if (entry.kind === 'folded') {
      const [address = 'unknown'] = (entry.ips as string[] | undefined) ?? []
      yield { failedAuth: { address, at, count: Number(entry.count) } }
      continue
    }
    if (entry.kind !== 'request') continue
    const outcome = String(entry.outcome)
    const said = (name: string) => (typeof entry[name] === 'string' ? (entry[name] as string) : undefined)
    if (GUESSES.has(outcome)) {
      yield { failedAuth: { address: said('ip') ?? 'unknown', at, count: 1 } }
      continue
    }
    const [status, key] = [Number(entry.status), said('key')]
    yield {
      sample: {
        at: at + Number(entry.ms ?? 0),
        key: key === undefined ? (entry.way === 'master' ? 'master' : undefined) : (names.get(key) ?? key),
        ...{ user: said('user'), team: said('team'), project: undefined, address: said('ip') },
        model: outcome === 'model_not_found' ? undefined : said('model'),
        tokens: Number(entry.input_tokens ?? 0) + Number(entry.output_tokens ?? 0),
        cost: Number(entry.cost_nano ?? 0),
        totalMs: Number(entry.ms ?? 0),
        ended: endedAs(status, outcome),
        blockedBy: blockedIn(entry.guardrails as string[] | undefined),
      },
    }
  }
}

export const alertsCommand = defineCommand({
  meta: { name: 'alerts', description: 'Alerts: what holds, a test of the channels, rules over the past' },
  subCommands: { list, look, test, replay: replayCommand },
})
