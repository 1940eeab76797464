/** argv → a command → an exit code. */
import { type ArgsDef, type CommandDef, parseArgs, renderUsage, runCommand } from 'citty'
import pkg from '../../package.json'
import { nearest } from '../config/nearest.ts'
import { ConfigError } from '../config/problem.ts'
import { adminCommand } from './admin.ts'
import { alertsCommand } from './alerts.ts'
import { auditCommand } from './audit.ts'
import { authCommand } from './auth.ts'
import { checkCommand } from './check.ts'
import { contentCommand } from './content.ts'
import { doctorCommand } from './doctor.ts'
import { grantsCommand } from './grants.ts'
import { guardCommand } from './guard.ts'
import { initCommand } from './init.ts'
import { keyCommand } from './key.ts'
import { ledgerCommand } from './ledger.ts'
import { openapiCommand } from './openapi.ts'
import { pricesCommand } from './prices.ts'
import { privacyCommand } from './privacy.ts'
import { routeCommand } from './route.ts'
import { sbomCommand } from './sbom.ts'
import { serveCommand } from './serve.ts'
import { statementCommand } from './statement.ts'
import { type ExitCode, realTerminal, type Terminal, Trouble, UsageError } from './terminal.ts'

// biome-ignore lint/suspicious/noExplicitAny: citty's own type of a command with whatever arguments
type Command = CommandDef<any>

const root: Command = {
  meta: {
    name: 'tollgate',
    version: pkg.version,
    description: 'One OpenAI endpoint for every model, with a toll on every token',
  },
  subCommands: {
    serve: serveCommand,
    init: initCommand,
    check: checkCommand,
    key: keyCommand,
    admin: adminCommand,
    auth: authCommand,
    route: routeCommand,
    grants: grantsCommand,
    guard: guardCommand,
    statement: statementCommand,
    ledger: ledgerCommand,
    alerts: alertsCommand,
    audit: auditCommand,
    content: contentCommand,
    privacy: privacyCommand,
    prices: pricesCommand,
    openapi: openapiCommand,
    doctor: doctorCommand,
    sbom: sbomCommand,
  } as Record<string, Command>,
}

/** @param argv as `process.argv`: the program, the script, then what the user wrote */
export async function run(argv: readonly string[], terminal: Terminal = realTerminal()): Promise<number> {
  const words = argv.slice(2)
  const chain: Command[] = [root]
  try {
    const rest = descend(words, chain)
    const command = chain.at(-1) as Command
    const asked = beforeDashes(words)
    if (asked.includes('--help') || asked.includes('-h')) {
      terminal.out(await usage(chain))
      return 0
    }
    if (chain.length === 1 && (words[0] === '--version' || words[0] === '-v')) {
      terminal.out(pkg.version)
      return 0
    }
    if (command.subCommands) throw new UsageError(missingCommand(rest, command))
    checkFlags(rest, (command.args ?? {}) as ArgsDef)
    const { result } = await runCommand(command, { rawArgs: [...rest], data: terminal })
    return (result ?? 0) as ExitCode
  } catch (cause) {
    return tell(cause, chain, terminal)
  }
}

/** Follows the words to the innermost command and gives what is left of them. */
function descend(words: readonly string[], chain: Command[]): readonly string[] {
  const subs = chain.at(-1)?.subCommands as Record<string, Command> | undefined
  const [first, ...rest] = words
  const sub = subs && first !== undefined && Object.hasOwn(subs, first) ? subs[first] : undefined
  if (sub) {
    chain.push(sub)
    return descend(rest, chain)
  }
  const usual = subs?.[(chain.at(-1)?.default ?? '') as string]
  // A word that is no command is told of; only where there is none is the usual one meant.
  if (usual && (first === undefined || (first.startsWith('-') && !HELP.has(first)))) chain.push(usual)
  return words
}

const HELP = new Set(['--help', '-h'])

function missingCommand([word]: readonly string[], command: Command): string {
  const names = Object.keys(command.subCommands as object)
  if (word === undefined || word.startsWith('-')) return `a command is missing: ${names.join(', ')}.`
  const near = nearest(word, names)
  return `there is no command \`${word}\`.${near ? ` Did you mean \`${near}\`?` : ` There are ${names.join(', ')}.`}`
}

const beforeDashes = (words: readonly string[]): readonly string[] =>
  words.includes('--') ? words.slice(0, words.indexOf('--')) : words

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** citty takes any flag; here a flag that nobody knows, or one without its value, is told of. */
function checkFlags(words: readonly string[], args: ArgsDef): void {
  const flags = Object.entries(args).filter(([, arg]) => arg.type !== 'positional')
  const parsed = parseArgs([...words], { ...args, _rest: { type: 'positional', required: false } } as ArgsDef)
  for (const word of beforeDashes(words)) {
    if (!word.startsWith('-') || word === '-' || /^-\d/.test(word)) continue
    const name = kebab(word.replace(/^--?/, '').replace(/=.*$/s, ''))
    const flag = word.startsWith('--') ? flags.find(([known]) => kebab(known) === name) : undefined
    if (!flag) {
      const near = nearest(
        name,
        flags.map(([known]) => known),
      )
      throw new UsageError(
        `there is no option \`${word.replace(/=.*$/s, '')}\`.${near ? ` Did you mean \`--${near}\`?` : ''}`,
      )
    }
    if (flag[1].type === 'string' && (parsed[flag[0]] === '' || parsed[flag[0]] === undefined))
      throw new UsageError(`\`--${flag[0]}\` needs a value.`)
  }
  const takes = Object.values(args).filter((arg) => arg.type === 'positional').length
  if (takes === 0 && parsed._.length > 0)
    throw new UsageError(`what is \`${parsed._[0]}\`? This command takes options only.`)
}

async function usage(chain: readonly Command[]): Promise<string> {
  const names = await Promise.all(chain.slice(0, -1).map(async (c) => (c.meta as { name: string }).name))
  return renderUsage(chain.at(-1) as Command, names.length > 0 ? { meta: { name: names.join(' ') } } : undefined)
}

function tell(cause: unknown, chain: readonly Command[], terminal: Terminal): ExitCode {
  const name = chain.map((command) => (command.meta as { name: string }).name).join(' ')
  if (cause instanceof ConfigError || cause instanceof Trouble) {
    terminal.err(cause instanceof Trouble ? `tollgate: ${cause.message}` : cause.message)
    return 1
  }
  if (cause instanceof UsageError || (cause instanceof Error && cause.name === 'CLIError')) {
    terminal.err(`tollgate: ${cause.message}`)
    terminal.err(`\`${name} --help\` tells what there is.`)
    return 2
  }
  terminal.err(`tollgate: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`)
  return 1
}
