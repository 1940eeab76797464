/** Which configuration a command means: the file's, or what is found without one. */
import type { Config } from '../config/config.ts'
import { discover } from '../config/discover.ts'
import { findConfig, openFile, type Renewal } from '../config/files.ts'
import type { Problem } from '../config/problem.ts'
import type { App } from '../config/start.ts'
import { counted, report } from './report.ts'
import type { Terminal } from './terminal.ts'

export interface Settled {
  config: Config
  file?: string | undefined
  found: string[]
  warnings: Problem[]
  /** How secrets that lie elsewhere are read again. */
  renewal?: Renewal | undefined
}

/**
 * The file's configuration, or what is found; a file without models gets those that are found. Undefined where the file
 * is wrong: that is told on the terminal, with `without` as what was not done for it.
 */
export async function settle(
  named: string | undefined,
  app: App,
  terminal: Terminal,
  without: string,
): Promise<Settled | undefined> {
  const providers = await app.providers()
  const file = findConfig(named, terminal.env)
  const look = () => discover(terminal.env, providers, terminal.probe)
  if (file === undefined) {
    const { config, found } = await look()
    return { config, found, warnings: [] }
  }
  const { loaded, renewal } = await openFile(file, terminal.env, providers, app.guardKinds())
  report(file, loaded, terminal)
  if (!loaded.ok) {
    terminal.err(`${file}: ${counted(loaded.errors.length, 'error')}. ${without}`)
    return undefined
  }
  const { config, warnings } = loaded
  if (config.models.length > 0) return { config, file, found: [], warnings, renewal }
  const { config: discovered, found } = await look()
  return { config: { ...config, models: discovered.models }, file, found, warnings, renewal }
}
