/** Which guardrails look at a request. Pure. */
import { allows } from '../core/key.ts'
import type { GuardTerms } from './terms.ts'

/** Whose request it is, and what it asks for. */
export interface Asking {
  key: readonly string[]
  team: string | undefined
  project: string | undefined
  /** Every alias that may come to answer it. */
  models: readonly string[]
  tags: readonly string[]
  /** Named by the key, its team, its project or the request. */
  named: ReadonlySet<string>
  /** Those that stand everywhere are not for it. */
  isExempt: boolean
}

export function looksAt({ name, where }: GuardTerms, asking: Asking): boolean {
  if (asking.named.has(name)) return true
  if (where.everywhere && !asking.isExempt) return true
  if (where.keys.some((key) => asking.key.includes(key))) return true
  if (asking.team !== undefined && where.teams.includes(asking.team)) return true
  if (asking.project !== undefined && where.projects.includes(asking.project)) return true
  if (where.tags.some((tag) => asking.tags.includes(tag))) return true
  return where.models.length > 0 && asking.models.some((model) => allows(where.models, model))
}

/** What the metadata of a key, a team or a project says of guardrails, in LiteLLM's words. */
export interface Said {
  names: readonly string[]
  isExempt: boolean
}

/** Whether a request may go where this one can't look. */
export const mustSee = ({ modes, onFlagged, onError, unseen }: GuardTerms): boolean =>
  unseen === 'refuse' &&
  modes.some((mode) => mode !== 'logging_only') &&
  !(onFlagged === 'warn' && onError === 'fail_open')
