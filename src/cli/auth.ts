/** `tollgate auth`: what the ways in need beside the configuration. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { defineCommand } from 'citty'
import { htpasswdLine } from '../auth/htpasswd.ts'
import { type ExitCode, type Terminal, Trouble, UsageError } from './terminal.ts'

/** What a list of words finds at once is no password. */
const SHORTEST = 8

const htpasswd = defineCommand({
  meta: { name: 'htpasswd', description: 'Set the password of a user in an htpasswd file (argon2id)' },
  args: {
    file: { type: 'positional', required: true, description: 'The file; made where it is not there' },
    user: { type: 'positional', required: true, description: 'The name' },
    delete: { type: 'boolean', description: 'Take the user out' },
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const { file, user } = args
    if (!/^[^\s:#\x00-\x1f\x7f][^:\x00-\x1f\x7f]{0,99}$/.test(user) || user !== user.trim())
      throw new UsageError('a name has 1 to 100 characters, without colons, and does not begin with `#` or a space.')
    const before = read(file)
    const others = before.split('\n').filter((line) => line !== '' && !line.startsWith(`${user}:`))
    const had = before.split('\n').some((line) => line.startsWith(`${user}:`))
    if (args.delete) {
      if (!had) throw new Trouble(`${file} has no user ${user}.`)
      replace(file, others)
      terminal.err(`${user} is taken out of ${file}.`)
      return 0
    }
    const password = await terminal.password(`Password for ${user}: `)
    if (password.length < SHORTEST) throw new UsageError(`a password has ${SHORTEST} characters at least.`)
    if (password.includes('\0')) throw new UsageError('a password has no NUL in it.')
    replace(file, [...others, await htpasswdLine(user, password)])
    terminal.err(`${user} is ${had ? 'changed' : 'added'} in ${file}. A running gateway sees it within a second.`)
    return 0
  },
})

function read(file: string): string {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  } catch (cause) {
    throw new Trouble(`${file} can't be read (${(cause as { code?: string }).code}).`)
  }
}

/** At once: a gateway that looks in the middle sees the old one or the new one. */
function replace(file: string, lines: readonly string[]): void {
  const beside = `${file}.${randomBytes(4).toString('hex')}`
  try {
    const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o600
    writeFileSync(beside, `${lines.join('\n')}\n`, { mode })
    renameSync(beside, file)
  } catch (cause) {
    throw new Trouble(`${file} can't be written (${(cause as { code?: string }).code}).`)
  }
}

export const authCommand = defineCommand({
  meta: { name: 'auth', description: 'Files of the ways in' },
  subCommands: { htpasswd },
})
