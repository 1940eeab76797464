/** A real Tollgate in a process of its own, for tests that speak to it over the wire. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { verifyFile } from '../../src/store/verify-file.ts'
import { bury, collect, freePort, makeTemp, ready, removeTemp, terminate } from './temp.ts'

export const MASTER_KEY = 'sk-test-master-0123456789'
const ROOT = join(import.meta.dir, '../..')

export interface GatewayOptions {
  /** The configuration. An object gets `general_settings.master_key` where it has none. */
  yaml?: string | Record<string, unknown>
  /** Added to a bare environment: no variable of the developer's (a provider's key, say) reaches the gateway. */
  env?: Record<string, string>
  /** Kept after `stop()`; without it a fresh folder is used and removed. */
  dataDir?: string
  /** 0 or nothing: a free one. */
  port?: number
  /** More arguments of `serve`. */
  args?: readonly string[]
}

export interface Gateway {
  /** `http://127.0.0.1:port`, without a slash. */
  url: string
  port: number
  masterKey: string
  pid: number
  dataDir: string
  /** Rewrite it to test a reload. */
  configFile: string
  /** Everything it wrote to stdout and stderr so far. */
  logs(): string
  /** A request with the master key. `body` is sent as JSON. */
  call(method: string, path: string, body?: unknown): Promise<Response>
  /** Ends it in an orderly way and removes its temporary folders. @throws where it had to be killed after 15 s */
  stop(): Promise<void>
  /** SIGKILL, as a power cut would: the data stays until `stop()`, so that another one can start on it. */
  kill9(): Promise<void>
}

/** Starts it and waits until it is alive. @throws Error with its output where it does not come up within 20 s */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const home = makeTemp('gateway')
  const dataDir = options.dataDir ?? join(home, 'data')
  const configFile = join(home, 'tollgate.yaml')
  const port = options.port || freePort()
  const { text, masterKey } = configuration(options.yaml)
  writeFileSync(configFile, text)
  const command = ['serve', '--config', configFile, '--port', String(port), '--data', dataDir, ...(options.args ?? [])]
  const child = Bun.spawn([process.execPath, join(ROOT, 'src/main.ts'), ...command], {
    cwd: home,
    env: { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: process.env.TMPDIR ?? '/tmp', ...options.env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  bury(child)
  const logs = collect(child)
  const url = `http://127.0.0.1:${port}`
  try {
    await ready(child, `${url}/health/liveliness`, logs, 60_000)
  } catch (cause) {
    removeTemp(home)
    throw new Error(`Tollgate did not start: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  return {
    url,
    port,
    masterKey,
    pid: child.pid,
    dataDir,
    configFile,
    logs,
    call(method, path, body) {
      const headers = { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' }
      return fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    },
    async stop() {
      const orderly = child.exitCode !== null || child.signalCode !== null || (await terminate(child, 15_000))
      const wrong = orderly ? differencesIn(dataDir) : []
      removeTemp(home)
      if (!orderly) throw new Error(`Tollgate did not end within 15 s of SIGTERM:\n${logs()}`)
      if (wrong.length > 0) throw new Error(`The books do not add up: ${wrong.join(' ')}`)
    },
    async kill9() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** Whatever a test did: charges, days and totals have to add up to the same afterwards. */
function differencesIn(dataDir: string): string[] {
  const path = join(dataDir, 'tollgate.sqlite')
  return existsSync(path) ? verifyFile(path).differences : []
}

/** The file's text, and the master key that is in it. */
function configuration(yaml: GatewayOptions['yaml'] = {}): { text: string; masterKey: string } {
  if (typeof yaml === 'string') {
    const found = /^\s*master_key:\s*["']?([^\s"'#]+)/m.exec(yaml)
    return { text: yaml, masterKey: found?.[1] ?? MASTER_KEY }
  }
  const general = { master_key: MASTER_KEY, ...(yaml.general_settings as Record<string, unknown> | undefined) }
  return { text: stringify({ ...yaml, general_settings: general }), masterKey: String(general.master_key) }
}
