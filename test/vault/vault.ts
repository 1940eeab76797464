/** A real Vault on the loopback, for tests: in memory, unsealed, with KV version 2 at `secret`. */
import { bury, collect, freePort, makeTemp, ready, terminate } from '../support/temp.ts'
import { findVault } from './binary.ts'

export interface RealVault {
  address: string
  root: string
  /** An API call with the root token. */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  /** Writes a new version of a secret. */
  put(path: string, fields: Record<string, string>): Promise<void>
  /** Stops answering, and answers again (SIGSTOP, SIGCONT). */
  pause(): void
  resume(): void
  stop(): Promise<void>
}

export async function startVault(): Promise<RealVault> {
  const binary = findVault()
  if (!binary) throw new Error('Vault is not there: bun test/vault/bring.ts')
  const home = makeTemp('vault')
  const port = freePort()
  const root = 'root-token-of-the-test'
  const address = `http://127.0.0.1:${port}`
  const flags = [`-dev-listen-address=127.0.0.1:${port}`, `-dev-root-token-id=${root}`, '-dev-no-store-token']
  const child = Bun.spawn([binary, 'server', '-dev', ...flags], {
    ...{ cwd: home, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
    env: { PATH: process.env.PATH ?? '', HOME: home },
  })
  bury(child)
  await ready(child, `${address}/v1/sys/health`, collect(child), 60_000)
  const call: RealVault['call'] = async (method, path, body) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': root, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }
  // In development mode the engine at `secret` is made beside the start.
  for (let n = 0; n < 100; n++) {
    const mounts = await call('GET', 'sys/mounts')
    if ('secret/' in mounts) break
    await Bun.sleep(50)
  }
  return {
    ...{ address, root, call },
    put: async (path, fields) => void (await call('POST', `secret/data/${path}`, { data: fields })),
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: async () => {
      child.kill('SIGCONT')
      await terminate(child, 10_000)
    },
  }
}
