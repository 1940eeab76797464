/** Microsoft's Presidio: its analyzer finds what is somebody's (microsoft.github.io/presidio/analyzer, tutorial/09_ad_hoc). What it finds is replaced here. */
import { z } from 'zod'
import { readListed } from '../file.ts'
import { type Finding, GuardError } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { apart, lookOf, PASSED, SAID } from '../look.ts'
import { codePointOffsets, each, partsOf } from '../remote/parts.ts'
import { post } from '../remote/post.ts'
import { at, url } from '../remote/settings.ts'

const MOST = 50_000
const WINDOW = 320

const entity = z.string().min(1).max(64)
const recognizers = z.array(z.record(z.string(), z.unknown())).max(50)
const settings = z.strictObject({
  presidio_analyzer_api_base: url()
    .optional()
    .describe('Where its analyzer is. Default: the variable `PRESIDIO_ANALYZER_API_BASE`.'),
  presidio_anonymizer_api_base: url().optional().describe('Not asked: what is found is replaced here.'),
  presidio_language: z.string().min(2).max(8).default('en').describe('Of the texts. Default: en.'),
  entities: z.array(entity).optional().describe('What is looked for. Default: all that it knows.'),
  pii_entities_config: z
    .record(entity, z.enum(['MASK', 'BLOCK']))
    .default({})
    .describe('What is looked for, and what becomes of each.'),
  presidio_score_thresholds: z
    .record(entity, z.number().min(0).max(1))
    .default({})
    .describe('From which score on something counts, by entity; `ALL` for those that are not named.'),
  score_threshold: z.number().min(0).max(1).optional().describe('The same for all. Default: Presidio’s own.'),
  presidio_entities_deny_list: z.array(entity).default([]).describe('What does not count.'),
  presidio_ad_hoc_recognizers: z
    .union([recognizers, z.string().min(1)])
    .optional()
    .describe('Recognizers of one’s own in Presidio’s form: a list, or as in LiteLLM a JSON file that has one.'),
})

const reply = z.array(
  z.looseObject({
    entity_type: entity,
    start: z.number().int().min(0),
    end: z.number().int().min(0),
    score: z.number(),
  }),
)

export const presidio = defineKind({
  kind: 'presidio',
  litellm: ['presidio'],
  settings,
  make(said, tools) {
    const base = said.presidio_analyzer_api_base ?? tools.env.PRESIDIO_ANALYZER_API_BASE
    if (!base) throw new Error('Presidio needs `presidio_analyzer_api_base`, or PRESIDIO_ANALYZER_API_BASE.')
    const asked =
      said.entities ??
      (Object.keys(said.pii_entities_config).length > 0 ? Object.keys(said.pii_entities_config) : undefined)
    const own = said.presidio_ad_hoc_recognizers
    const adHoc = typeof own === 'string' ? readListed('presidio_ad_hoc_recognizers', own, recognizers) : own
    const denied = new Set(said.presidio_entities_deny_list)
    return {
      kind: 'presidio',
      local: false,
      needsWhole: false,
      window: WINDOW,
      kinds: SAID,
      version: versionOf('presidio', 1, { ...said, adHoc }),
      async look(subject, signal) {
        const parts = partsOf(subject.pieces, MOST)
        if (parts.length === 0) return PASSED
        const found = await each(parts, signal, async ({ piece, from, text }, until): Promise<Finding[]> => {
          const body = {
            text,
            language: said.presidio_language,
            ...(asked ? { entities: asked } : {}),
            ...(said.score_threshold === undefined ? {} : { score_threshold: said.score_threshold }),
            ...(adHoc ? { ad_hoc_recognizers: adHoc } : {}),
          }
          const all = await post(tools, { service: 'Presidio', url: at(base, '/analyze'), body, reply }, until)
          const utf16 = codePointOffsets(text)
          return all.flatMap((one) => {
            const [start, end] = [utf16(one.start), utf16(one.end)]
            if (end <= start || end > text.length)
              throw new GuardError('bad_reply', 'Presidio told of a place that is not in the text.', false)
            const threshold = said.presidio_score_thresholds[one.entity_type] ?? said.presidio_score_thresholds.ALL ?? 0
            if (denied.has(one.entity_type) || one.score < threshold) return []
            const action = said.pii_entities_config[one.entity_type]
            return {
              piece,
              start: from + start,
              end: from + end,
              what: one.entity_type,
              confidence: Math.max(0, Math.min(1, one.score)),
              ...(action ? { action: action === 'MASK' ? ('redact' as const) : ('block' as const) } : {}),
            }
          })
        })
        return lookOf(subject.pieces.flatMap((_, piece) => apart(found.flat().filter((one) => one.piece === piece))))
      },
    }
  },
})
