/** The master key: what it must be, and where the environment has it. */
import { Secret } from '../secrets/secret.ts'
import type { Env } from './interpolate.ts'

/** LiteLLM asks for the prefix; what is shorter can be guessed. */
const SHORTEST = 8

/** Why this can't be a master key; undefined where it can. Never repeats it. */
export function faultOfMasterKey(key: string): string | undefined {
  if (!key.startsWith('sk-')) return 'must begin with `sk-`.'
  if (key.length < SHORTEST) return `must have at least ${SHORTEST} characters.`
  if (/[^\x21-\x7e]/.test(key)) return 'must be made of visible ASCII characters, so that a header can carry it.'
  return undefined
}

/** The variable that has the master key, where no file says it; the first that is not empty. */
export const masterKeyVariable = (env: Env): string | undefined =>
  ['TOLLGATE_MASTER_KEY', 'LITELLM_MASTER_KEY'].find((name) => env[name])

export type MasterKey = { key: Secret } | { fault: string } | undefined

/** The master key of the environment; a fault names its variable. */
export function masterKeyOf(env: Env): MasterKey {
  const name = masterKeyVariable(env)
  const key = name === undefined ? undefined : env[name]
  if (key === undefined) return undefined
  const fault = faultOfMasterKey(key)
  return fault ? { fault: `the master key in the environment variable ${name} ${fault}` } : { key: new Secret(key) }
}
