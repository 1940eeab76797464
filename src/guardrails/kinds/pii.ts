/** What names a person or opens an account of theirs: found in the process, by form and check digit. */
import { z } from 'zod'
import type { Finding } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { lookThrough, SAID } from '../look.ts'
import { ENTITIES, type Entity, NEEDS_PRESIDIO, SAME } from '../pii/entities.ts'
import { scan } from '../pii/scan.ts'
import { undisguised } from '../text/undisguised.ts'

/** Longer than any of them: an address of e-mail has 64 characters before its @ and 255 behind. */
const WINDOW = 320

const name = z.string().transform((said, context): Entity => {
  const asked = said.toUpperCase()
  const entity = ENTITIES.find((one) => one === asked) ?? SAME[asked]
  if (entity) return entity
  const where = NEEDS_PRESIDIO.has(asked)
    ? `it takes a model of language: use a guardrail of kind \`presidio\``
    : `known: ${ENTITIES.join(', ')}`
  context.addIssue({ code: 'custom', message: `\`${said}\` is not found in the process; ${where}.` })
  return z.NEVER
})

const settings = z
  .strictObject({
    entities: z.array(name).min(1).optional().describe('What is looked for. Default: all of it.'),
    pii_entities_config: z
      .record(z.string(), z.enum(['MASK', 'BLOCK']))
      .optional()
      .describe('What is looked for, and what becomes of each: `{ EMAIL_ADDRESS: MASK, CREDIT_CARD: BLOCK }`.'),
    ignore: z.array(name).default([]).describe('What is not looked for.'),
    score_threshold: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('From which confidence on something counts. Default: 0.5.'),
    allow: z.array(z.string().min(1)).default([]).describe('Texts that are nobody’s: `support@example.com`.'),
  })
  .transform(({ pii_entities_config, ...rest }, context) => {
    const actions = new Map<Entity, 'block' | 'redact'>()
    for (const [said, action] of Object.entries(pii_entities_config ?? {})) {
      const read = name.safeParse(said)
      if (read.success) actions.set(read.data, action === 'MASK' ? 'redact' : 'block')
      else
        context.addIssue({
          code: 'custom',
          path: ['pii_entities_config', said],
          message: read.error.issues[0]?.message ?? '',
        })
    }
    return { ...rest, actions }
  })

export const pii = defineKind({
  kind: 'pii',
  settings,
  make(read) {
    const { entities, actions, ignore, score_threshold: threshold } = read
    const wanted = new Set<Entity>(entities ?? (actions.size > 0 ? actions.keys() : ENTITIES))
    for (const one of actions.keys()) wanted.add(one)
    for (const one of ignore) wanted.delete(one)
    const allowed = new Set(read.allow.map((one) => one.toLowerCase()))
    return {
      kind: 'pii',
      local: true,
      needsWhole: false,
      window: WINDOW,
      kinds: SAID,
      version: versionOf('pii', 2, read),
      look: (subject) =>
        lookThrough(subject, (said, tell) => {
          const { text, place } = undisguised(said)
          scan(text, (what, from, upTo, confidence) => {
            if (confidence < threshold || !wanted.has(what)) return
            if (allowed.size > 0 && allowed.has(text.slice(from, upTo).toLowerCase())) return
            const [start, end] = place(from, upTo)
            const action = actions.get(what)
            const found: Omit<Finding, 'piece'> = { start, end, what, confidence }
            tell(action ? { ...found, action } : found)
          })
        }),
    }
  },
})
