/** `tollgate check`: is this configuration file right? */
import { defineCommand } from 'citty'
import { findConfig, loadFile, USUAL_NAMES } from '../config/files.ts'
import { counted, report } from './report.ts'
import { type ExitCode, type Terminal, Trouble } from './terminal.ts'

export const checkCommand = defineCommand({
  meta: { name: 'check', description: 'Tell everything that is wrong with a configuration file' },
  args: {
    file: { type: 'positional', required: false, description: 'The file; by default as with --config' },
    config: { type: 'string', description: 'The file. Default: TOLLGATE_CONFIG, else tollgate.yaml' },
  },
  run: ({ args, data }) => check(args.file ?? args.config, data as Terminal),
})

async function check(named: string | undefined, terminal: Terminal): Promise<ExitCode> {
  const file = findConfig(named, terminal.env)
  if (file === undefined)
    throw new Trouble(`there is no ${USUAL_NAMES.join(' or ')} here. Name a file, or write one with \`tollgate init\`.`)
  const { providers, guardKinds } = await terminal.app()
  const loaded = await loadFile(file, terminal.env, await providers(), guardKinds())
  report(file, loaded, terminal)
  const warnings = counted(loaded.warnings.length, 'warning')
  if (!loaded.ok) {
    terminal.err(`${file}: ${counted(loaded.errors.length, 'error')}, ${warnings}`)
    return 1
  }
  terminal.out(`${file} is right: ${counted(loaded.config.models.length, 'target')}, ${warnings}`)
  return 0
}
