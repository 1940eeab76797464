/** `tollgate admin`: logins of a running gateway, for whoever has its master key. */
import { defineCommand } from 'citty'
import { openGateway, whereArgs } from './management.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

const user = { type: 'positional', required: true, description: "The user's id" } as const

const password = defineCommand({
  meta: { name: 'password', description: 'Set the password of a user; it is asked for, or read from stdin' },
  args: {
    user,
    new: { type: 'boolean', description: 'Make the user first' },
    role: { type: 'string', description: 'With --new: what he may. Default: proxy_admin' },
    ...whereArgs,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    if (args.role !== undefined && !args.new) throw new UsageError('`--role` is for `--new`.')
    const client = await openGateway(args, terminal)
    const said = await terminal.password(`Password for ${args.user}: `)
    if (said === '') throw new UsageError('no password was given.')
    const { user: user_id } = args
    if (args.new)
      await client.post('/user/new', { user_id, user_role: args.role ?? 'proxy_admin', auto_create_key: false })
    const { ended_sessions: ended } = (await client.post('/user/password', { user_id, password: said })) as Answer
    terminal.err(`The password of ${user_id} is set.${ended ? ` His ${ended} sessions are ended.` : ''}`)
    return 0
  },
})

const invite = defineCommand({
  meta: { name: 'invite', description: 'A link by which a user sets his password himself; it is shown once' },
  args: { user, ...whereArgs },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const client = await openGateway(args, terminal)
    const made = (await client.post('/invitation/new', { user_id: args.user })) as Answer
    terminal.out(String(made.invitation_link))
    terminal.err(
      `It holds until ${made.expires_at}, once. Until there is a page: POST /onboarding/claim_token with its id.`,
    )
    return 0
  },
})

const reset = defineCommand({
  meta: {
    name: 'reset',
    description: 'Take away the second factors of a user who has lost them, and end his sessions',
  },
  args: { user, ...whereArgs },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const client = await openGateway(args, terminal)
    const { ended_sessions: ended } = (await client.post('/user/factors/reset', { user_id: args.user })) as Answer
    terminal.err(`${args.user} has no second factor now.${ended ? ` His ${ended} sessions are ended.` : ''}`)
    return 0
  },
})

interface Answer {
  ended_sessions?: number
  invitation_link?: string
  expires_at?: string
}

export const adminCommand = defineCommand({
  meta: { name: 'admin', description: 'Logins of a running gateway: passwords, invitations, lost factors' },
  subCommands: { password, invite, reset },
})
