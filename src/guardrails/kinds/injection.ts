/** Attacks on prompts, by signs that they have in common. It finds what is usual; for what is not there are models. */
import { z } from 'zod'
import type { Finding, Guard } from '../guard.ts'
import { openLexicon, type Sign, signsIn, surest } from '../injection/rules.ts'
import { viewsOf } from '../injection/views.ts'
import { defineKind, versionOf } from '../kind.ts'
import { apart, PASSED, SAID } from '../look.ts'
import { fold, unfold } from '../text/fold.ts'

/** Decoded texts that are decoded again. */
const DEPTH = 2
const WINDOW = 512
/** What is hidden is meant to be. */
const HIDDEN = 0.2

const settings = z.strictObject({
  threshold: z.number().min(0).max(1).default(0.6).describe('From which score on it is flagged. Default: 0.6.'),
  system: z
    .boolean()
    .default(false)
    .describe('Whether system texts are looked at, which are the developer’s own. Default: false.'),
})

export const injection = defineKind({
  kind: 'injection',
  settings,
  make(said) {
    openLexicon()
    return guardOf(said)
  },
})

const guardOf = (said: z.output<typeof settings>): Guard => ({
  kind: 'injection',
  local: true,
  needsWhole: false,
  window: WINDOW,
  kinds: SAID,
  version: versionOf('injection', 1, said),
  look({ pieces }) {
    let most = 0
    const findings: Finding[] = []
    for (const [piece, { text, role }] of pieces.entries()) {
      if (role === 'system' && !said.system) continue
      const { score, signs } = judge(text, 0)
      if (score > most) most = score
      if (score < said.threshold) continue
      findings.push(
        ...apart(signs.map(({ start, end }) => ({ piece, start, end, what: 'PROMPT_INJECTION', confidence: score }))),
      )
    }
    if (most < said.threshold) return most > 0 ? { ...PASSED, confidence: most } : PASSED
    return { flagged: true, categories: ['prompt_injection'], confidence: most, findings }
  },
})

/** @returns the highest score of any stretch of it, and the signs there. Places are of the text as it is. */
export function judge(text: string, depth: number): { score: number; signs: Sign[] } {
  const folded = fold(text)
  const signs = signsIn(folded.text, !folded.from).map(({ weight, start, end }) => ({
    weight,
    ...unfold(folded, start, end, text),
  }))
  signs.push(...images(text))
  if (depth < DEPTH)
    for (const view of viewsOf(text)) {
      const inner = judge(view.text, depth + 1)
      if (inner.score === 0) continue
      signs.push({ weight: Math.min(0.99, 1 - (1 - inner.score) * (1 - HIDDEN)), start: view.start, end: view.end })
    }
  signs.sort((a, b) => a.start - b.start)
  return surest(signs)
}

const IMAGE = /!\[[^\]\n]{0,200}\]\(https?:\/\/[^\s)]{1,500}/g
const CARRIES =
  /\{\{|\$\{|<[a-z_ ]+>|[?&][\w-]+=(?:[^&\s)]{0,20}(?:conversation|history|prompt|secret|data|message|context)|\{|%7b|\[)/i
/** Images whose address carries what was said: whoever shows them sends it. */
function images(text: string): Sign[] {
  if (!text.includes('](http')) return []
  return [...text.matchAll(IMAGE)]
    .filter(([image]) => CARRIES.test(image))
    .map((match) => ({ weight: 0.65, start: match.index, end: match.index + match[0].length }))
}
