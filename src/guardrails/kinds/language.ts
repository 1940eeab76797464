/** Which languages are spoken. */
import { z } from 'zod'
import type { Finding } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { lookOf, PASSED } from '../look.ts'
import { LANGUAGES, languageOf } from '../text/language.ts'

/** Characters that are judged together: one who begins in an allowed language and goes on in another is noticed. */
const BLOCK = 2_048

const language = z
  .string()
  .toLowerCase()
  .refine((code) => LANGUAGES.includes(code), {
    error: ({ input }) =>
      `\`${String(input)}\` is not told apart; known: ${[...new Set(LANGUAGES)].sort().join(', ')}.`,
  })
const settings = z
  .strictObject({
    allowed: z.array(language).min(1).optional().describe('Codes of ISO 639-1: `[en, de]`. Others are flagged.'),
    denied: z.array(language).min(1).optional().describe('Those that are flagged.'),
    unknown: z
      .enum(['pass', 'flag'])
      .default('pass')
      .describe('What becomes of texts too short to tell. Default: pass.'),
  })
  .refine(({ allowed, denied }) => (allowed === undefined) !== (denied === undefined), {
    message: 'say `allowed` or `denied`.',
  })

export const languages = defineKind({
  kind: 'language',
  settings,
  make(said) {
    const [allowed, denied] = [said.allowed && new Set(said.allowed), new Set(said.denied)]
    const isWrong = (found: string | undefined): boolean =>
      found === undefined ? said.unknown === 'flag' : allowed ? !allowed.has(found) : denied.has(found)
    return {
      kind: 'language',
      local: true,
      needsWhole: false,
      window: BLOCK,
      kinds: new Set(['text', 'thinking', 'refusal']),
      version: versionOf('language', 1, said),
      look({ pieces }) {
        const findings: Finding[] = []
        for (const [piece, { text, role }] of pieces.entries()) {
          if (role === 'system' || text.trim() === '') continue
          for (let start = 0; start < text.length; start += BLOCK) {
            const end = Math.min(text.length, start + BLOCK)
            // A short end belongs to what is before it.
            const found = languageOf(text, end - start < BLOCK / 4 ? Math.max(0, end - BLOCK) : start, end)
            if (isWrong(found))
              findings.push({
                piece,
                start,
                end,
                what: `LANGUAGE_${(found ?? 'unknown').toUpperCase()}`,
                confidence: 0.8,
              })
          }
        }
        return findings.length > 0 ? lookOf(findings) : PASSED
      },
    }
  },
})
