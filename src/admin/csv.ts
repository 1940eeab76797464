/** Tables as RFC 4180 has them, for spreadsheets. */

/** Spreadsheets run cells that begin so: OWASP's CSV injection. */
const RISKY = /^[=+\-@\t\r]/

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const safe = RISKY.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** @param rows objects with the same fields @param fields the columns in their order */
export function toCsv(fields: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string {
  const lines = [fields.join(','), ...rows.map((row) => fields.map((field) => cell(row[field])).join(','))]
  return `${lines.join('\r\n')}\r\n`
}
