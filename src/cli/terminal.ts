/** What commands know of the world around them; tests give them another one. */

import type { Probe } from '../config/discover.ts'
import type { Env } from '../config/interpolate.ts'
import type { App } from '../config/start.ts'
import { readPassword } from './password.ts'
import { probeOllama } from './probe.ts'

export interface Terminal {
  env: Env
  /** Somebody reads along, so the log is pretty. */
  interactive: boolean
  out(line: string): void
  err(line: string): void
  /** Asked for without being shown; from a pipe its first line. */
  password(question: string): Promise<string>
  /** Loaded only where it is needed: it brings the whole house. */
  app(): Promise<App>
  probe: Probe
}

/** 0: well. 1: the configuration, or what it asked for, is wrong. 2: the command line is. */
export type ExitCode = 0 | 1 | 2

/** The command line is wrong: told with the usage, exit code 2. */
export class UsageError extends Error {}

/** It can't be done, and the message says why and what to do: exit code 1. */
export class Trouble extends Error {}

export const realTerminal = (): Terminal => ({
  env: process.env,
  interactive: process.stdout.isTTY === true,
  out: (line) => console.log(line),
  err: (line) => console.error(line),
  password: readPassword,
  app: () => import('../app.ts'),
  probe: probeOllama,
})
