/** OpenAI's moderation, or whatever speaks it (platform.openai.com/docs/api-reference/moderations). */
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { PASSED, SAID, worst } from '../look.ts'
import { documentsOf, each } from '../remote/parts.ts'
import { post } from '../remote/post.ts'
import { apiBase, apiKey, at, keyOf, WINDOW } from '../remote/settings.ts'

const MOST = 20_000

const settings = z.strictObject({
  api_key: apiKey('OPENAI_API_KEY'),
  api_base: apiBase('Where it is. Default: https://api.openai.com/v1.'),
  model: z.string().min(1).default('omni-moderation-latest').describe('Default: omni-moderation-latest.'),
  thresholds: z
    .record(z.string().min(1), z.number().min(0).max(1))
    .default({})
    .describe('From which score on a category flags: `{ violence: 0.8 }`. Others as OpenAI says itself.'),
  categories: z
    .array(z.string().min(1))
    .optional()
    .describe('Which categories count: `[violence, self-harm/intent]`. Default: all.'),
})

const reply = z.object({
  results: z
    .array(
      z.object({
        flagged: z.boolean(),
        categories: z.record(z.string(), z.boolean().nullable()),
        category_scores: z.record(z.string(), z.number()),
      }),
    )
    .min(1),
})

export const openaiModeration = defineKind({
  kind: 'openai_moderation',
  litellm: ['openai_moderation'],
  settings,
  make: (said, tools) => ({
    kind: 'openai_moderation',
    local: false,
    needsWhole: false,
    window: WINDOW,
    kinds: SAID,
    version: versionOf('openai_moderation', 1, said),
    async look(subject, signal) {
      const documents = documentsOf(subject.pieces, MOST)
      if (documents.length === 0) return PASSED
      const headers = { authorization: `Bearer ${keyOf(said.api_key, tools, 'OPENAI_API_KEY', 'OpenAI')}` }
      const url = at(said.api_base ?? 'https://api.openai.com/v1', '/moderations')
      const looks = await each(documents, signal, async (input, until) => {
        const body = { model: said.model, input }
        const { results } = await post(tools, { service: 'OpenAI’s moderation', url, headers, body, reply }, until)
        return worst(results.map((result) => verdict(result, said)))
      })
      return worst(looks)
    },
  }),
})

function verdict(result: z.output<typeof reply>['results'][number], said: z.output<typeof settings>) {
  const names = Object.keys({ ...result.categories, ...result.category_scores })
  const hit = names.filter((name) => {
    if (said.categories && !said.categories.includes(name)) return false
    const threshold = said.thresholds[name]
    return threshold === undefined ? result.categories[name] === true : (result.category_scores[name] ?? 0) >= threshold
  })
  // It may flag a category that it does not list.
  const unnamed = hit.length === 0 && result.flagged && !said.categories && Object.keys(said.thresholds).length === 0
  const confidence = Math.max(0, ...hit.map((name) => result.category_scores[name] ?? 0))
  return { flagged: hit.length > 0 || unnamed, categories: unnamed ? ['flagged'] : hit, confidence, findings: [] }
}
