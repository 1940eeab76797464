/** `tollgate privacy`: what is kept of a person, at a running gateway. */
import { defineCommand } from 'citty'
import { openGateway, whereArgs } from './management.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

interface Forgotten {
  pseudonym: string
  rows: Record<string, number>
  kept: string
  elsewhere: string[]
}

const forget = defineCommand({
  meta: { name: 'forget', description: 'Take a person out of everything that is kept; what was spent stays' },
  args: {
    user: { type: 'string', description: "A user's id; his keys are deleted" },
    customer: { type: 'string', description: "A customer's id: whom requests name as their `user`" },
    ...whereArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const { user, customer } = args
    if ((user === undefined) === (customer === undefined)) throw new UsageError('say `--user` or `--customer`.')
    const client = await openGateway(args, terminal)
    const body = user === undefined ? { customer_id: customer } : { user_id: user }
    const told = (await client.post('/privacy/forget', body)) as Forgotten
    terminal.out(`Forgotten. What was spent is under ${told.pseudonym}.`)
    for (const [table, rows] of Object.entries(told.rows)) terminal.out(`${table.padEnd(16)} ${rows}`)
    terminal.err(`Kept: ${told.kept}`)
    for (const sentence of told.elsewhere) terminal.err(sentence)
    return 0
  },
})

export const privacyCommand = defineCommand({
  meta: { name: 'privacy', description: 'What is kept of a person' },
  subCommands: { forget },
})
