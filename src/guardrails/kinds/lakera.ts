/** Lakera Guard, version 2 (docs.lakera.ai/docs/api/guard): it judges a conversation's last turn with all before it. */
import { z } from 'zod'
import { type Finding, GuardError } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { apart, PASSED, SAID } from '../look.ts'
import { codePointOffsets } from '../remote/parts.ts'
import { post } from '../remote/post.ts'
import { apiBase, apiKey, at, keyOf, WINDOW } from '../remote/settings.ts'

const settings = z.strictObject({
  api_key: apiKey('LAKERA_API_KEY'),
  api_base: apiBase('Where it is. Default: https://api.lakera.ai, or the variable `LAKERA_API_BASE`.'),
  project_id: z.string().min(1).optional().describe('The project whose policy counts. Default: the account’s.'),
  payload: z.boolean().default(true).describe('Whether it says where something stands, so that it can be redacted.'),
  breakdown: z.boolean().default(true).describe('Whether it says what it found.'),
  metadata: z.record(z.string(), z.unknown()).optional().describe('Sent along.'),
  dev_info: z.boolean().default(false).describe('Sent along.'),
})

const reply = z.looseObject({
  flagged: z.boolean(),
  payload: z
    .array(
      z.looseObject({
        start: z.number().int().min(0),
        end: z.number().int().min(0),
        detector_type: z.string(),
        labels: z.array(z.string()).nullish(),
        message_id: z.number().int().min(0).nullish(),
      }),
    )
    .nullish(),
  breakdown: z.array(z.looseObject({ detector_type: z.string(), detected: z.boolean() })).nullish(),
})

export const lakera = defineKind({
  kind: 'lakera',
  litellm: ['lakera', 'lakera_v2'],
  settings,
  make: (said, tools) => ({
    kind: 'lakera',
    local: false,
    needsWhole: false,
    window: WINDOW,
    kinds: SAID,
    version: versionOf('lakera', 1, said),
    async look(subject, signal) {
      const shown = [...subject.pieces.entries()].filter(([, { text }]) => text.trim() !== '')
      if (shown.length === 0) return PASSED
      const body = {
        messages: shown.map(([, { role, text }]) => ({ role, content: text })),
        payload: said.payload,
        breakdown: said.breakdown,
        ...(said.project_id ? { project_id: said.project_id } : {}),
        ...(said.metadata ? { metadata: said.metadata } : {}),
        ...(said.dev_info ? { dev_info: true } : {}),
      }
      const base = said.api_base ?? tools.env.LAKERA_API_BASE ?? 'https://api.lakera.ai'
      const headers = { authorization: `Bearer ${keyOf(said.api_key, tools, 'LAKERA_API_KEY', 'Lakera')}` }
      const told = await post(tools, { service: 'Lakera', url: at(base, '/v2/guard'), headers, body, reply }, signal)
      if (!told.flagged) return PASSED
      const hits = (told.breakdown ?? []).filter(({ detected }) => detected).map(({ detector_type }) => detector_type)
      const found = (told.payload ?? []).map((one): Finding => {
        const [piece, { text }] = shown[one.message_id ?? shown.length - 1] ?? lost()
        const utf16 = codePointOffsets(text)
        const [start, end] = [utf16(one.start), utf16(one.end)]
        if (end <= start || end > text.length) lost()
        return { piece, start, end, what: entityOf(one.detector_type), confidence: 1 }
      })
      // What it has no place for can't be redacted: then there are no findings, and `redact` blocks.
      const isPlaced = hits.every((hit) => (told.payload ?? []).some(({ detector_type }) => detector_type === hit))
      return {
        flagged: true,
        categories: hits.length > 0 ? [...new Set(hits)] : ['flagged'],
        confidence: 1,
        findings: isPlaced ? shown.flatMap(([piece]) => apart(found.filter((one) => one.piece === piece))) : [],
      }
    },
  }),
})

function lost(): never {
  throw new GuardError('bad_reply', 'Lakera told of a place that is not in the text.', false)
}

/** `pii/credit_card` → `CREDIT_CARD` */
const entityOf = (detector: string): string =>
  (detector.split('/').at(-1) as string).toUpperCase().replace(/[^A-Z0-9]+/g, '_')
