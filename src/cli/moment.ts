import { UsageError } from './terminal.ts'

const MOMENT = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/

/**
 * A day or a moment of the command line, in UTC unless it names its zone.
 * @param flag where it was said @returns ms since the epoch @throws UsageError
 */
export function momentOf(said: string, flag: string): number {
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/.test(said)
  const at = MOMENT.test(said)
    ? Date.parse(said.length === 10 ? `${said}T00:00:00Z` : `${said.replace(' ', 'T')}${hasZone ? '' : 'Z'}`)
    : Number.NaN
  if (Number.isNaN(at))
    throw new UsageError(`\`${flag} ${said}\` is no moment: 2026-12-01 is, or 2026-12-01T20:00Z, in UTC.`)
  return at
}
