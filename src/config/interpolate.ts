/**
 * Variables in the strings of a configuration file: a whole string `os.environ/NAME` (LiteLLM's way), and `${NAME}` or
 * `${NAME:-default}` anywhere in one. `$${` is a plain `${`.
 */

import { isReference } from '../secrets/reference.ts'
import { NOTHING_STORED, type Stored } from '../secrets/store.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface Interpolated {
  text: string
  /** Something was put in, so the text may be a secret. */
  changed: boolean
  /** What is wrong, one sentence each. Never a value. */
  errors: string[]
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const WHOLE = 'os.environ/'

/**
 * Puts the variables in, and secrets that lie elsewhere (a whole string `vault:…`, `file:…`). A variable that is missing or
 * empty is an error unless a default stands beside it.
 */
export function interpolate(raw: string, env: Env, stored: Stored = NOTHING_STORED): Interpolated {
  if (isReference(raw)) return fromStored(raw, stored)
  if (raw.startsWith(WHOLE)) return fromWhole(raw.slice(WHOLE.length).trim(), env)
  const errors: string[] = []
  let changed = false
  const text = raw.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (match, inner: string | undefined, end: string) => {
    if (match === '$${') return '${'
    if (end === '') {
      errors.push(
        `\`${match.slice(0, 20)}\` has no closing brace. Write \`$\${\` where the characters themselves are meant.`,
      )
      return ''
    }
    changed = true
    const [, name = '', fallback] = /^([\s\S]*?)(?::-([\s\S]*))?$/.exec(inner ?? '') ?? []
    if (!NAME.test(name)) {
      errors.push(
        `\`\${${name}}\` is not the name of a variable. Write \`\${NAME}\` or \`\${NAME:-default}\`, and \`$\${\` where the characters themselves are meant.`,
      )
      return ''
    }
    const value = env[name]
    if (value) return value
    if (fallback !== undefined) return fallback
    errors.push(missing(name, value))
    return ''
  })
  return { text, changed, errors }
}

function fromStored(raw: string, stored: Stored): Interpolated {
  const found = stored.get(raw)
  if (found && 'text' in found) return { text: found.text, changed: true, errors: [] }
  return { text: '', changed: true, errors: [`\`${raw.slice(0, 200)}\`: ${found?.fault ?? 'it was not asked for.'}`] }
}

function fromWhole(name: string, env: Env): Interpolated {
  if (!NAME.test(name))
    return {
      text: '',
      changed: true,
      errors: [`\`${WHOLE}${name}\` does not name a variable. Write \`${WHOLE}NAME\`.`],
    }
  const value = env[name]
  return value
    ? { text: value, changed: true, errors: [] }
    : { text: '', changed: true, errors: [missing(name, value)] }
}

const missing = (name: string, value: string | undefined): string =>
  value === ''
    ? `the environment variable ${name} is set but empty. Give it a value before the start: \`export ${name}=…\`.`
    : `the environment variable ${name} is not set. Set it before the start: \`export ${name}=…\`.`
