/** A terminal whose words can be read, and an app that tells what it was started with. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../src/cli/run.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { App } from '../../src/config/start.ts'
import { PROVIDERS } from '../config/providers.ts'

export const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'tollgate-cli-'))

export const noPrices = (): never => {
  throw new Error('this test asks for no prices')
}

const noApp: App = {
  providers: () => PROVIDERS,
  guardKinds: () => [],
  tryGuards: async () => [],
  testAlerts: () => Promise.resolve([]),
  prices: noPrices,
  start: () => Promise.reject(new Error('this test starts nothing')),
}

export interface Ran {
  code: number
  out: string
  err: string
}

/** Runs one command line. `env` is all of its environment. */
export async function tollgate(
  words: string[],
  env: Record<string, string> = {},
  more: Partial<Terminal> = {},
): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const code = await run(['bun', 'main.ts', ...words], {
    env,
    interactive: false,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    password: async () => '',
    app: async () => noApp,
    probe: async () => ({ ok: false, why: 'nothing listens there' }),
    ...more,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}
