/** What the doctor found: what it is, why it matters, what to do. */

export type Level = 'ok' | 'note' | 'warn' | 'error'

export interface Finding {
  /** `tls.expiry`: stays the same over versions, for whoever sorts by it. */
  id: string
  level: Level
  what: string
  why?: string
  /** A command to paste, or a setting. */
  fix?: string
}

export const ok = (id: string, what: string): Finding => ({ id, level: 'ok', what })
/** Nothing is wrong with it; it can't be seen from here, or is not built. */
export const note = (id: string, what: string, why?: string, fix?: string): Finding => found('note', id, what, why, fix)
export const warn = (id: string, what: string, why: string, fix: string): Finding => found('warn', id, what, why, fix)
export const error = (id: string, what: string, why: string, fix: string): Finding => found('error', id, what, why, fix)

function found(level: Level, id: string, what: string, why?: string, fix?: string): Finding {
  return { id, level, what, ...(why === undefined ? {} : { why }), ...(fix === undefined ? {} : { fix }) }
}
