/** `tollgate serve`: from a command line to a gateway that listens, and to its end. */
import { chmod, mkdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defineCommand } from 'citty'
import { masterKeyOf } from '../config/master-key.ts'
import type { Started } from '../config/start.ts'
import { banner } from './banner.ts'
import { settle } from './settle.ts'
import { firstSignal } from './signals.ts'
import { type ExitCode, type Terminal, Trouble, UsageError } from './terminal.ts'

export const serveCommand = defineCommand({
  meta: { name: 'serve', description: 'Start the gateway' },
  args: {
    config: {
      type: 'string',
      description: 'Configuration file. Default: TOLLGATE_CONFIG, else tollgate.yaml, else none',
    },
    port: { type: 'string', description: 'Port to listen on. Default: PORT, else 4000' },
    host: { type: 'string', description: 'Address to listen on. Default: TOLLGATE_HOST, else 127.0.0.1' },
    insecure: {
      type: 'boolean',
      description: 'Listen without encryption on other addresses than the loopback, too. Default: TOLLGATE_INSECURE',
    },
    data: { type: 'string', description: 'Folder for the database. Default: TOLLGATE_DATA, else ./.tollgate' },
  },
  run: ({ args, data }) => serve(args, data as Terminal),
})

interface ServeArgs {
  config?: string | undefined
  port?: string | undefined
  host?: string | undefined
  insecure?: boolean | undefined
  data?: string | undefined
}

async function serve(args: ServeArgs, terminal: Terminal): Promise<ExitCode> {
  const { env } = terminal
  const port = portOf(args.port ?? (env.PORT || '4000'))
  const host = args.host ?? (env.TOLLGATE_HOST || '127.0.0.1')
  const app = await terminal.app()
  const settled = await settle(args.config, app, terminal, 'Nothing was started.')
  if (!settled) return 1
  const { found, warnings, file, renewal } = settled
  const config = args.insecure === true ? { ...settled.config, insecure: true } : settled.config
  const outside = config.masterKey ? undefined : masterKeyOf(env)
  if (outside && 'fault' in outside) throw new Trouble(outside.fault)
  const masterKey = config.masterKey ?? outside?.key
  const dataDir = resolve(args.data ?? (env.TOLLGATE_DATA || '.tollgate'))
  await makeDataDir(dataDir, terminal)
  const log = config.log === 'auto' ? (terminal.interactive ? 'pretty' : 'json') : config.log
  const signalled = firstSignal((line) => terminal.err(line))
  let started: Started
  try {
    started = await app.start({ config, port, host, dataDir, masterKey, log, warnings, renewal })
  } catch (cause) {
    throw troubleOf(cause, host, port)
  }
  process.on('SIGUSR1', () => started.reopen?.())
  // Of a terminal that is closed it means the end.
  if (!terminal.interactive) process.on('SIGHUP', () => started.reopen?.())
  // A log in JSON has stdout for itself.
  const print = log === 'json' ? terminal.err : terminal.out
  for (const line of banner({ started, config, file, found, dataDir, env })) print(line)
  await signalled
  await started.stop()
  return 0
}

function portOf(said: string): number {
  const port = Number(said)
  if (!/^\d+$/.test(said) || port > 65_535) throw new UsageError(`\`${said}\` is no port: a number from 0 to 65535 is.`)
  return port
}

async function makeDataDir(path: string, terminal: Terminal): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true, mode: 0o700 })
    if (made !== undefined) await chmod(path, 0o700)
    else if (((await stat(path)).mode & 0o077) !== 0)
      terminal.err(`warning: others on this machine may look into ${path}. \`chmod 700\` closes it.`)
  } catch (cause) {
    const code = (cause as { code?: string }).code
    if (code === 'EEXIST' || code === 'ENOTDIR')
      throw new Trouble(`the data folder ${path} is a file. Name another with --data.`)
    throw new Trouble(`the data folder ${path} can't be made (${code ?? String(cause)}). Name another with --data.`)
  }
}

/** What people meet when they start a server, in words that help. */
function troubleOf(cause: unknown, host: string, port: number): unknown {
  switch ((cause as { code?: string } | null)?.code) {
    case 'EADDRINUSE':
      return new Trouble(
        `port ${port} on ${host} is taken: something listens there already, perhaps another Tollgate. Stop it, or take another port: --port ${port === 65_535 ? port - 1 : port + 1}`,
      )
    case 'EACCES':
      return new Trouble(`port ${port} may not be used by this user. Ports from 1024 may: --port 4000`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new Trouble(`this machine has no address ${host}. 127.0.0.1 is always there, 0.0.0.0 means all of them.`)
    default:
      return cause
  }
}
