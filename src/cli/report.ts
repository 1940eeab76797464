/** Problems of a configuration file, on the terminal. */
import type { Loaded } from '../config/load.ts'
import { showProblem } from '../config/problem.ts'
import type { Terminal } from './terminal.ts'

/** Every error and warning on a line of its own. */
export function report(file: string, loaded: Loaded, terminal: Terminal): void {
  for (const warning of loaded.warnings) terminal.err(`warning: ${showProblem(file, warning)}`)
  if (loaded.ok) return
  for (const error of loaded.errors) terminal.err(`error: ${showProblem(file, error)}`)
}

/** `1 error`, `2 errors`. */
export const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
