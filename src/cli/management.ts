/** What commands have in common that manage a running gateway. */
import { type Client, clientFor } from './client.ts'
import type { Terminal } from './terminal.ts'

export const DEFAULT_URL = 'http://127.0.0.1:4000'

export const whereArgs = {
  url: { type: 'string', description: 'The gateway. Default: TOLLGATE_URL, else http://127.0.0.1:4000' },
  config: {
    type: 'string',
    description:
      'Configuration file with the master key. Default: TOLLGATE_MASTER_KEY or LITELLM_MASTER_KEY, else tollgate.yaml',
  },
} as const

export const managementArgs = {
  ...whereArgs,
  json: { type: 'boolean', description: 'Print what the gateway answered, as JSON' },
} as const

interface Where {
  url?: string | undefined
  config?: string | undefined
}

export const openGateway = (args: Where, terminal: Terminal): Promise<Client> =>
  clientFor(args.url ?? (terminal.env.TOLLGATE_URL || DEFAULT_URL), args.config, terminal)
