/** What was found in a text, and the text without it. Pure. */
import type { Finding } from './guard.ts'

export interface Span {
  start: number
  end: number
  what: string
  replacement?: string
}

/** Findings of one text, in their order, those that overlap as one: the longest says what it is. */
export function merged(findings: readonly Finding[], length: number): Span[] {
  const sorted = findings
    .map(({ start, end, what, replacement }) => {
      const span: Span = { start: Math.max(0, start), end: Math.min(length, end), what }
      return replacement === undefined ? span : { ...span, replacement }
    })
    .filter(({ start, end }) => end > start)
    .toSorted((a, b) => a.start - b.start || b.end - a.end)
  const spans: Span[] = []
  for (const span of sorted) {
    const last = spans.at(-1)
    if (!last || span.start >= last.end) spans.push({ ...span })
    else {
      if (span.end - span.start > last.end - last.start) {
        last.what = span.what
        if (span.replacement === undefined) delete last.replacement
        else last.replacement = span.replacement
      }
      last.end = Math.max(last.end, span.end)
    }
  }
  return spans
}

/** @param name what stands for it where its guard does not say so itself */
export function without(text: string, spans: readonly Span[], name: (value: string, what: string) => string): string {
  let out = ''
  let from = 0
  for (const { start, end, what, replacement } of spans) {
    out += text.slice(from, start) + (replacement ?? name(text.slice(start, end), what))
    from = end
  }
  return out + text.slice(from)
}

/** `EMAIL_ADDRESS` → `<EMAIL_ADDRESS>`, as Presidio and LiteLLM do. */
export const bare = (_: string, what: string): string => `<${what}>`

const LONGEST_NAME = 60

/** A name that can be a placeholder's. */
export const asName = (what: string): string =>
  what
    .toUpperCase()
    .replace(/[^A-Z0-9_]+/g, '_')
    .replace(/^[^A-Z]+/, '')
    .slice(0, LONGEST_NAME) || 'REDACTED'
