/** What zod found, in words that help: what is wrong, what was expected, what is near. */
import type { z } from 'zod'
import { homeOf, sectionOf, standingOf } from './known.ts'
import { nearest } from './nearest.ts'
import type { Path } from './problem.ts'
import { jsonSchema, keysAt, schemaAt, typeName } from './schema-json.ts'

export interface Finding {
  path: Path
  message: string
  suggestion?: string | undefined
  severity: 'error' | 'warning'
}

type Issue = z.core.$ZodIssue

/**
 * @param valueAt what the file says at a path
 * @param hidden whether what it says there may be a secret and is not repeated
 */
export function explain(issue: Issue, valueAt: (path: Path) => unknown, hidden: (path: Path) => boolean): Finding[] {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key]))
  return [{ path, severity: 'error', ...sentence(issue, path, valueAt(path), hidden(path)) }]
}

function sentence(issue: Issue, path: Path, value: unknown, hide: boolean): { message: string; suggestion?: string } {
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_union':
      if (value === undefined) return { message: `is missing. ${schemaAt(path)?.description ?? ''}`.trim() }
      return { message: `expects ${expected(path)}, not ${hide ? 'this' : show(value)}.${slip(value, path, hide)}` }
    case 'invalid_value': {
      const near = typeof value === 'string' ? nearest(value, issue.values.map(String)) : undefined
      return {
        message: `expects ${expected(path)}, not ${hide ? 'this' : show(value)}.${near ? ` Did you mean \`${near}\`?` : ''}`,
        ...(near ? { suggestion: near } : {}),
      }
    }
    case 'too_small':
      if ((issue.origin === 'string' || issue.origin === 'array') && issue.minimum === 1)
        return { message: 'must not be empty.' }
      if (issue.origin === 'string') return { message: `must have at least ${issue.minimum} characters.` }
      return {
        message: `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${hide ? '' : `, not ${show(value)}`}.`,
      }
    case 'too_big':
      return { message: `must be at most ${issue.maximum}${hide ? '' : `, not ${show(value)}`}.` }
    default:
      return { message: `${issue.message.replace(/\.?$/, '.')}` }
  }
}

const expected = (path: Path): string => typeName(schemaAt(path) ?? {})

/** Quotes and YAML 1.1's `yes` are the usual reasons for a wrong kind of value. */
function slip(value: unknown, path: Path, hide: boolean): string {
  const type = schemaAt(path)?.type
  if (type === 'boolean' && typeof value === 'string' && /^(yes|on|no|off)$/i.test(value))
    return ` Write \`${/^(yes|on)$/i.test(value)}\`.`
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean'))
    return hide ? ' Put it in quotes.' : ` Put it in quotes: "${value}".`
  if (
    (type === 'number' || type === 'integer') &&
    typeof value === 'string' &&
    value.trim() !== '' &&
    !Number.isNaN(Number(value))
  )
    return ' Remove the quotes.'
  return ''
}

function show(value: unknown): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 56)}…"` : text
}

const SECTIONS = ['litellm_settings', 'router_settings', 'general_settings', 'tollgate'] as const

/** A key that the schema does not have: LiteLLM's, at home elsewhere, near another, or nobody's. */
export function unknownKey(path: Path): Finding {
  const key = String(path.at(-1))
  const above = path.slice(0, -1)
  const standing = standingOf(sectionOf(above), key)
  if (standing.kind !== 'unknown')
    return { path, message: standing.message, severity: standing.kind === 'unsafe' ? 'error' : 'warning' }
  const homes = SECTIONS.filter((name) => path[0] !== name && keysAt([name]).includes(key))
  if (above.length <= 1 && homes.length > 0)
    return {
      path,
      severity: 'error',
      message: `belongs in \`${homes.join('` or `')}\`.`,
      suggestion: `${homes[0]}.${key}`,
    }
  const inParams = path[0] === 'model_list' && path.length === 3 && keysAt([...above, 'litellm_params']).includes(key)
  if (inParams)
    return { path, severity: 'error', message: 'belongs in `litellm_params`.', suggestion: `litellm_params.${key}` }
  const near = nearest(key, keysAt(above))
  if (near)
    return { path, severity: 'error', message: `nobody knows this key. Did you mean \`${near}\`?`, suggestion: near }
  const home = homeOf(sectionOf(above), key)
  if (home)
    return {
      path,
      severity: 'error',
      message: `nobody knows this key here. LiteLLM has it in \`${home}\`; it is not built yet.`,
      suggestion: `${home}.${key}`,
    }
  const here = above.at(-1) === 'litellm_params' ? " A provider's own parameter goes under `extra_body`." : ''
  const known = above.length === 0 ? ` The sections are ${Object.keys(jsonSchema().properties ?? {}).join(', ')}.` : ''
  return { path, severity: 'error', message: `nobody knows this key.${here}${known}` }
}
