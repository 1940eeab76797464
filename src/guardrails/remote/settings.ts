/** Settings that scanners have in common. */
import { z } from 'zod'
import { type Secret, secret } from '../../secrets/secret.ts'
import { GuardError, type GuardTools } from '../guard.ts'

export const url = () => z.url({ protocol: /^https?$/ })
/** LiteLLM's name for where a service is. */
export const apiBase = (what: string) => url().optional().describe(what)
export const apiKey = (variable: string) =>
  secret().optional().describe(`Its key. Default: the variable \`${variable}\`.`)

/** Path behind an address, whose own path stays. */
export const at = (base: string, path: string): string => `${base.replace(/\/+$/, '')}${path}`

/** @throws GuardError where there is none: for a service that takes nobody without one */
export function keyOf(key: Secret | undefined, tools: GuardTools, variable: string, service: string): string {
  const found = key?.reveal() ?? tools.env[variable]
  if (found) return found
  throw new GuardError('refused', `${service} has no key: say \`api_key\`, or set ${variable}.`, false)
}

/** Of a stream, for a scanner that says no places: so much is held back as a sentence or two has. */
export const WINDOW = 512
