/** `tollgate init`: writes a configuration file for what is there. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { defineCommand } from 'citty'
import { discover } from '../config/discover.ts'
import { exampleYaml } from '../config/example.ts'
import { masterKeyVariable } from '../config/master-key.ts'
import { type ExitCode, type Terminal, Trouble } from './terminal.ts'

export const initCommand = defineCommand({
  meta: { name: 'init', description: 'Write a tollgate.yaml for what is there' },
  args: { config: { type: 'string', description: 'The file to write. Default: TOLLGATE_CONFIG, else tollgate.yaml' } },
  run: ({ args, data }) => init(args.config, data as Terminal),
})

async function init(named: string | undefined, terminal: Terminal): Promise<ExitCode> {
  const file = named ?? (terminal.env.TOLLGATE_CONFIG || 'tollgate.yaml')
  const { providers } = await terminal.app()
  const found = await discover(terminal.env, await providers(), terminal.probe)
  const variable = masterKeyVariable(terminal.env)
  const text = exampleYaml({
    head: [
      'Written by `tollgate init`. `tollgate check` tells whether it is right.',
      ...found.found.map((line) => `Found: ${line}`),
    ],
    models: found.file.model_list.map(({ model_name, litellm_params }) => ({ model_name, litellm_params })),
    ...(variable ? { general: { master_key: `os.environ/${variable}` } } : {}),
  })
  const unwritable = (code?: string) =>
    new Trouble(`${file} can't be written (${code ?? 'for no reason that was told'}).`)
  await mkdir(dirname(file), { recursive: true }).catch((cause: { code?: string }) => {
    throw unwritable(cause.code)
  })
  // `wx` refuses to overwrite, whoever was quicker.
  await writeFile(file, text, { flag: 'wx' }).catch((cause: { code?: string }) => {
    throw cause.code === 'EEXIST'
      ? new Trouble(`${file} is there already, and is left as it is. Name another with --config.`)
      : unwritable(cause.code)
  })
  for (const line of found.found) terminal.out(`  ${line}`)
  terminal.out(`Wrote ${file}. Start with: tollgate serve${named ? ` --config ${file}` : ''}`)
  return 0
}
