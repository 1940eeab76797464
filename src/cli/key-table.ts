/** Keys as a table for people. */
import { plain, table } from './table.ts'

const HEAD = ['ALIAS', 'KEY', 'SPENT', 'BUDGET', 'MODELS', 'EXPIRES', 'STATE'] as const

/** @param keys as `/key/list?return_full_object=true` tells them */
export function keyTable(keys: readonly unknown[]): string[] {
  if (keys.length === 0) return ['There is no key yet. `tollgate key create` makes one.']
  return table(HEAD, keys.map(row))
}

function row(key: unknown): string[] {
  // Some gateways list hashes only.
  if (typeof key !== 'object' || key === null) return ['', String(key), '', '', '', '', '']
  const k = key as Record<string, unknown>
  const models = Array.isArray(k.models) && k.models.length > 0 ? k.models.join(',') : 'all'
  return [
    plain(k.key_alias),
    plain(k.key_name ?? k.token),
    dollars(k.spend),
    k.max_budget == null
      ? 'none'
      : `${dollars(k.max_budget)}${k.budget_duration ? `/${plain(k.budget_duration)}` : ''}`,
    models,
    k.expires == null ? 'never' : plain(k.expires).slice(0, 16),
    k.blocked === true ? 'blocked' : 'open',
  ]
}

const dollars = (value: unknown): string => (typeof value === 'number' ? `$${value}` : plain(value))
