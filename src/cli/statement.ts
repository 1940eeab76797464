/** `tollgate statement`: a month of one project, team or customer, from a running gateway. */
import { defineCommand } from 'citty'
import type { Client } from './client.ts'
import { openGateway, whereArgs } from './management.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

/** Options that name whose statement it is, and what the gateway calls them. */
const OF = {
  project: 'project_id',
  team: 'team_id',
  organization: 'organization_id',
  user: 'user_id',
  customer: 'customer_id',
  tag: 'tag',
} as const

const whose = Object.fromEntries(
  Object.keys(OF).map((kind) => [kind, { type: 'string' as const, description: `The statement of this ${kind}` }]),
) as Record<keyof typeof OF, { type: 'string'; description: string }>

export const statementCommand = defineCommand({
  meta: { name: 'statement', description: 'What a project, team or customer spent in a month' },
  args: {
    ...whose,
    month: { type: 'string', required: true, description: 'The month: 2026-10' },
    format: { type: 'string', description: 'text, json or csv. Default: text' },
    ...whereArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const kinds = (Object.keys(OF) as (keyof typeof OF)[]).filter((kind) => args[kind])
    const [kind] = kinds
    if (!kind || kinds.length > 1)
      throw new UsageError(
        `whose? One of ${Object.keys(OF)
          .map((k) => `--${k}`)
          .join(', ')}.`,
      )
    const format = args.format ?? 'text'
    if (!['text', 'json', 'csv'].includes(format)) throw new UsageError('`--format` is text, json or csv.')
    const client = await openGateway(args, terminal)
    await print(
      client,
      new URLSearchParams([
        [OF[kind], args[kind] ?? ''],
        ['month', args.month],
      ]),
      format,
      terminal,
    )
    return 0
  },
})

async function print(client: Client, query: URLSearchParams, format: string, terminal: Terminal): Promise<void> {
  if (format === 'csv') return terminal.out((await client.text(`/spend/statement?${query}&format=csv`)).trimEnd())
  const statement = (await client.get(`/spend/statement?${query}`)) as Statement
  if (format === 'json') return terminal.out(JSON.stringify(statement, null, 2))
  for (const line of asText(statement)) terminal.out(line)
}

interface Line {
  spend_nano: number
  api_requests: number
  total_tokens: number
}

interface Statement {
  of: string
  month: string
  timezone: string
  from: string
  to: string
  is_final: boolean
  total: Line
  by_model: (Line & { model: string })[]
  by_key: (Line & { api_key: string; key_alias: string | null })[]
  by_day: (Line & { date: string })[]
}

function asText(s: Statement): string[] {
  const parts: [string, (Line & { name: string })[]][] = [
    ['By model', s.by_model.map((line) => ({ ...line, name: line.model }))],
    ['By key', s.by_key.map((line) => ({ ...line, name: line.key_alias ?? line.api_key }))],
    ['By day', s.by_day.map((line) => ({ ...line, name: line.date }))],
  ]
  const width = Math.max(12, ...parts.flatMap(([, lines]) => lines.map((line) => line.name.length)))
  const row = (name: string, line: Line) =>
    `  ${name.padEnd(width)}  ${exact(line.spend_nano).padStart(18)}  ${String(line.api_requests).padStart(9)}  ${String(line.total_tokens).padStart(12)}`
  return [
    `Statement of ${s.of} for ${s.month}`,
    `${s.from} to ${s.to}, ${s.timezone}${s.is_final ? '' : '; the month is not over'}`,
    '',
    `  ${''.padEnd(width)}  ${'US dollars'.padStart(18)}  ${'requests'.padStart(9)}  ${'tokens'.padStart(12)}`,
    row('Total', s.total),
    ...parts.flatMap(([title, lines]) => ['', title, ...lines.map((line) => row(line.name, line))]),
  ]
}

/** All nine places: a statement is exact. */
const exact = (nano: number): string => `${Math.floor(nano / 1e9)}.${String(nano % 1e9).padStart(9, '0')}`
