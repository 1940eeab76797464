/** `tollgate guard`: what a configuration's guardrails say of a text, without a server; what a gateway's have done. */
import { defineCommand } from 'citty'
import { findConfig, loadFile, USUAL_NAMES } from '../config/files.ts'
import { managementArgs, openGateway } from './management.ts'
import { counted, report as tellProblems } from './report.ts'
import { plain, table } from './table.ts'
import { type ExitCode, type Terminal, Trouble, UsageError } from './terminal.ts'

const trying = defineCommand({
  meta: { name: 'try', description: 'What the guardrails of a configuration say of a text; no gateway is needed' },
  args: {
    text: { type: 'positional', required: true, description: 'The text' },
    guard: { type: 'string', description: 'Only this guardrail, or several with commas between. Default: all' },
    direction: { type: 'string', description: '`input` (a request) or `output` (an answer). Default: input' },
    config: { type: 'string', description: 'The file. Default: TOLLGATE_CONFIG, else tollgate.yaml' },
    json: { type: 'boolean', description: 'Print all of it, as JSON' },
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const { direction = 'input' } = args
    if (direction !== 'input' && direction !== 'output')
      throw new UsageError(`\`--direction ${direction}\` is neither input nor output.`)
    const file = findConfig(args.config, terminal.env)
    if (file === undefined) throw new Trouble(`there is no ${USUAL_NAMES.join(' or ')} here. Name a file: --config.`)
    const app = await terminal.app()
    const loaded = await loadFile(file, terminal.env, await app.providers(), app.guardKinds())
    if (!loaded.ok) {
      tellProblems(file, loaded, terminal)
      throw new Trouble(`${file}: ${counted(loaded.errors.length, 'error')}. Nothing was tried.`)
    }
    const known = loaded.config.guardrails.map(({ name }) => name)
    const names = args.guard?.split(',').map((one) => one.trim())
    const missing = names?.find((one) => !known.includes(one))
    if (missing !== undefined)
      throw new Trouble(`there is no guardrail \`${missing}\` in ${file}. There are: ${known.join(', ') || 'none'}.`)
    if (known.length === 0) throw new Trouble(`${file} has no guardrails: docs/guardrails.md.`)
    const role = direction === 'input' ? 'user' : 'assistant'
    const verdicts = await app.tryGuards(loaded.config, terminal.env, {
      ...{ names, direction, messages: [{ role, text: args.text }] },
    })
    if (args.json) terminal.out(JSON.stringify(verdicts, null, 2))
    else
      for (const { guardrail_name, status, categories, findings, redacted, ms, error } of verdicts) {
        const found = findings.map(({ what, start, end }) => `${what} ${start}-${end}`)
        const why = [...categories, ...found].join(', ')
        terminal.out(
          plain(`${guardrail_name}: ${status}${why ? ` (${why})` : ''}, ${ms} ms${error ? `: ${error}` : ''}`),
        )
        for (const text of redacted ?? []) terminal.out(plain(`  ${text}`))
      }
    return verdicts.some(({ status }) => status === 'blocked' || status === 'error') ? 1 : 0
  },
})

const HEAD = [
  'GUARDRAIL',
  'KIND',
  'CALLS',
  'PASSED',
  'BLOCKED',
  'REDACTED',
  'WARNED',
  'ERRORS',
  'NOT RUN',
  'KEPT',
  'P50',
  'P95',
]

const report = defineCommand({
  meta: { name: 'report', description: 'What the guardrails of a running gateway have done since its start' },
  args: managementArgs,
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const { guardrails = [] } = (await (await openGateway(args, terminal)).get('/guardrails/report')) as Answer
    if (args.json) terminal.out(JSON.stringify(guardrails, null, 2))
    else if (guardrails.length === 0) terminal.out('There are no guardrails.')
    else for (const line of table(HEAD, guardrails.map(row))) terminal.out(line)
    return 0
  },
})

interface Answer {
  guardrails?: (Record<string, unknown> & { added_ms?: { p50: number | null; p95: number | null } })[]
}

const row = (one: NonNullable<Answer['guardrails']>[number]): string[] => [
  ...[
    'guardrail_name',
    'kind',
    'calls',
    'passed',
    'blocked',
    'redacted',
    'warned',
    'errors',
    'not_run',
    'cache_hits',
  ].map((key) => plain(one[key])),
  ...[one.added_ms?.p50, one.added_ms?.p95].map((ms) => (ms == null ? '-' : `${ms} ms`)),
]

export const guardCommand = defineCommand({
  meta: { name: 'guard', description: 'Guardrails: trying them, and what they have done' },
  subCommands: { try: trying, report },
})
