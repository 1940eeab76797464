/**
 * Odds of tokens (`logprobs`) beside a text: they tell what else might have been said. Guards of the process look at them
 * too; scanners do not, for words that nobody has said are no text to judge. What they find there is left out, never blocked.
 */
import type { TokenLogprob } from '../dialects/canonical.ts'
import type { Piece } from './guard.ts'
import type { Rail } from './rail.ts'

const NEVER = new AbortController().signal

/** Whether they tell what one of these guardrails would block or take out. */
export function oddsTell(rails: readonly Rail[], odds: readonly TokenLogprob[], model: string): boolean {
  const looking = rails.filter(
    ({ guard, terms }) => guard.local && !guard.needsWhole && terms.onFlagged !== 'warn' && guard.kinds.has('text'),
  )
  if (looking.length === 0) return false
  const said = odds.map(({ token }) => token).join('')
  const others = odds.flatMap(({ top_logprobs = [] }) => top_logprobs.map(({ token }) => token)).join('\n')
  const pieces: Piece[] = [said, others].map((text) => ({ kind: 'text', role: 'assistant', text, choice: 0 }))
  return looking.some(({ guard }) => {
    try {
      const look = guard.look({ direction: 'output', pieces, model, whole: true }, NEVER)
      return look instanceof Promise || look.flagged
    } catch {
      return true
    }
  })
}
