/** `tollgate openapi`: what can be asked of a running gateway, for tools that read OpenAPI. */
import { defineCommand } from 'citty'
import { openGateway, whereArgs } from './management.ts'
import type { ExitCode, Terminal } from './terminal.ts'

export const openapiCommand = defineCommand({
  meta: { name: 'openapi', description: 'Print the OpenAPI 3.1 description of a running gateway' },
  args: whereArgs,
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const client = await openGateway(args, terminal)
    terminal.out(JSON.stringify(await client.get('/openapi.json'), null, 2))
    return 0
  },
})
