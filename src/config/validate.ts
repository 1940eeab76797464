/** A file's value against the schema: all of its faults, and what is left of it when they are taken out. */
import type { z } from 'zod'
import { type KnownProvider, takenBy } from './config.ts'
import { explain, type Finding, unknownKey } from './explain.ts'
import { type KnownKind, type TakenGuards, takeGuards } from './guard-terms.ts'
import { sectionOf, standingOf } from './known.ts'
import { nearest } from './nearest.ts'
import type { Path } from './problem.ts'
import { resolveModel } from './provider.ts'
import { prune, replace, valueAt } from './prune.ts'
import type { ReadFile } from './read.ts'
import { type FileConfig, fileSchema } from './schema.ts'
import { keysAt, schemaAt } from './schema-json.ts'

export interface Validated {
  /** Undefined where the file is not a map at all. */
  file?: FileConfig | undefined
  findings: Finding[]
  /** Keys that a provider takes and the schema does not have, by index in `model_list`. */
  taken: Map<number, Record<string, unknown>>
  /** What kinds of guards have read of theirs, by index in `guardrails`. */
  guards: TakenGuards
}

/** Each round takes out what the last one found; deeper faults show when those above them are gone. */
const ROUNDS = 20

export function validate(read: ReadFile, providers: readonly KnownProvider[], kinds: readonly KnownKind[]): Validated {
  const root = structuredClone(read.value)
  const findings: Finding[] = []
  const taken = new Map<number, Record<string, unknown>>()
  const hidden = (path: Path) => read.fromEnvironment(path) || path.some((part) => SECRET.test(String(part)))
  takeOut(root, providers, taken)
  const guards = takeGuards(root, kinds, hidden)
  findings.push(...guards.findings)
  for (let round = 0; round < ROUNDS; round++) {
    const parsed = fileSchema.safeParse(root ?? {})
    if (parsed.success) {
      findings.push(...infoFindings(parsed.data))
      return { file: parsed.data, findings, taken, guards: guards.taken }
    }
    // A text from the environment may stand for a number: then it is made one, and nothing is wrong.
    const issues = parsed.error.issues.filter((issue) => !coerce(root, issue, read))
    for (const issue of issues) {
      const found = explain(issue, (path) => valueAt(root, path), hidden)
      findings.push(...found)
      if (issue.path.length === 0 && issue.code !== 'unrecognized_keys')
        return { findings, taken, guards: guards.taken }
    }
    for (const issue of issues) {
      if (issue.code === 'unrecognized_keys') for (const key of issue.keys) prune(root, [...(issue.path as Path), key])
      else prune(root, issue.path as Path)
    }
  }
  return { findings, taken, guards: guards.taken }
}

const SECRET = /key$|token$|secret|password|credential|headers$|environment_variables/i

function coerce(root: unknown, issue: z.core.$ZodIssue, read: ReadFile): boolean {
  const path = issue.path as Path
  const value = valueAt(root, path)
  if (issue.code !== 'invalid_type' || typeof value !== 'string' || !read.fromEnvironment(path)) return false
  const type = schemaAt(path)?.type
  const wanted = typeof type === 'string' ? type : ''
  if ((wanted === 'number' || wanted === 'integer') && value.trim() !== '' && Number.isFinite(Number(value))) {
    replace(root, path, Number(value))
    return true
  }
  if (wanted === 'boolean' && /^(true|false)$/i.test(value)) {
    replace(root, path, value.toLowerCase() === 'true')
    return true
  }
  return false
}

/** Moves what only its provider knows out of the schema's sight. */
function takeOut(
  root: unknown,
  providers: readonly KnownProvider[],
  taken: Map<number, Record<string, unknown>>,
): void {
  const list = valueAt(root, ['model_list'])
  if (!Array.isArray(list)) return
  for (const [i, entry] of list.entries()) {
    const params = valueAt(entry, ['litellm_params'])
    const model = valueAt(params, ['model'])
    if (typeof params !== 'object' || params === null || typeof model !== 'string') continue
    const custom = valueAt(params, ['custom_llm_provider'])
    const resolved = resolveModel(model, typeof custom === 'string' ? custom : undefined, providers)
    const own = resolved.ok ? (takenBy(resolved.provider) ?? []) : []
    const schema = new Set(keysAt(['model_list', i, 'litellm_params']))
    for (const key of own) {
      if (schema.has(key) || !Object.hasOwn(params, key)) continue
      const map = params as Record<string, unknown>
      taken.set(i, { ...taken.get(i), [key]: map[key] })
      delete map[key]
    }
  }
}

/** model_info keeps keys of one's own, so only slips and LiteLLM's unbuilt keys are told of. */
function infoFindings(file: FileConfig): Finding[] {
  const findings: Finding[] = []
  for (const [i, entry] of file.model_list.entries()) {
    const above: Path = ['model_list', i, 'model_info']
    const known = keysAt(above)
    for (const key of Object.keys(entry.model_info ?? {})) {
      if (known.includes(key)) continue
      const path = [...above, key]
      if (standingOf(sectionOf(above), key).kind !== 'unknown') findings.push(unknownKey(path))
      else if (key.length > 4 && nearest(key, known) !== undefined) findings.push(unknownKey(path))
    }
  }
  return findings
}
