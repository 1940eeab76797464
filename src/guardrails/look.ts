/** How guards that find things in texts say what they found. */
import type { Finding, Look, PieceKind, Subject } from './guard.ts'

export const PASSED: Look = { flagged: false, categories: [], findings: [] }

/** All that people, models and tools say; what developers declare is not somebody's. */
export const SAID: ReadonlySet<PieceKind> = new Set(['text', 'thinking', 'refusal', 'tool_args', 'tool_result'])
export const EVERYTHING: ReadonlySet<PieceKind> = new Set([...SAID, 'tool_definition'])

/** @returns a verdict of its findings: any of them flags */
export function lookOf(findings: readonly Finding[]): Look {
  if (findings.length === 0) return PASSED
  let confidence = 0
  const categories = new Set<string>()
  for (const one of findings) {
    categories.add(one.what.toLowerCase())
    if (one.confidence > confidence) confidence = one.confidence
  }
  return { flagged: true, categories: [...categories], confidence, findings }
}

/** Looks through each piece for itself. @param find tells what is in one text */
export function lookThrough(
  subject: Subject,
  find: (text: string, tell: (finding: Omit<Finding, 'piece'>) => void) => void,
): Look {
  const findings: Finding[] = []
  for (const [piece, { text }] of subject.pieces.entries()) {
    const from = findings.length
    find(text, (found) => findings.push({ piece, ...found }))
    if (findings.length > from + 1) findings.push(...apart(findings.splice(from)))
  }
  return lookOf(findings)
}

/** Of finds in one piece that overlap the surest, else the longest, stays. @returns in their order */
export function apart(findings: readonly Finding[]): Finding[] {
  const kept: Finding[] = []
  const sorted = [...findings].sort((a, b) => a.start - b.start || b.end - a.end)
  for (const one of sorted) {
    const last = kept.at(-1)
    if (!last || last.end <= one.start) kept.push(one)
    else if (better(one, last)) kept[kept.length - 1] = one
  }
  return kept
}

/** What is to be blocked is not covered by what is only redacted. */
const better = (one: Finding, than: Finding): boolean =>
  (one.action === 'block') !== (than.action === 'block')
    ? one.action === 'block'
    : one.confidence !== than.confidence
      ? one.confidence > than.confidence
      : one.end - one.start > than.end - than.start

/** One of several that is flagged flags all. */
export function worst(looks: readonly Look[]): Look {
  const flagged = looks.filter((look) => look.flagged)
  if (flagged.length === 0) {
    const most = surest(looks)
    return most >= 0 ? { ...PASSED, confidence: most } : PASSED
  }
  const most = surest(flagged)
  return {
    flagged: true,
    categories: [...new Set(flagged.flatMap((look) => look.categories))],
    findings: flagged.flatMap((look) => look.findings),
    ...(most >= 0 ? { confidence: most } : {}),
  }
}

const surest = (looks: readonly Look[]): number =>
  looks.reduce((most, { confidence = -1 }) => Math.max(most, confidence), -1)
