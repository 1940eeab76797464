/**
 * JSON whose text depends on what it says and not on the order in which it was said: keys sorted, nothing for what is
 * undefined. Pure.
 */
export function stableText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => (one === undefined ? 'null' : stableText(one))).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const said: string[] = []
  const all = value as Record<string, unknown>
  for (const key of Object.keys(all).sort()) {
    const one = all[key]
    if (one !== undefined) said.push(`${JSON.stringify(key)}:${stableText(one)}`)
  }
  return `{${said.join(',')}}`
}
