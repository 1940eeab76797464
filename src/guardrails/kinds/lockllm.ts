/**
 * LockLLM: a model that tells prompt injections from prompts (docs: lockllm.com/docs/api-reference). Address, path and the
 * names of fields may be said, for services that answer alike.
 */
import { z } from 'zod'
import { secret } from '../../secrets/secret.ts'
import { GuardError, type Look } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { PASSED, SAID, worst } from '../look.ts'
import { documentsOf, each } from '../remote/parts.ts'
import { post } from '../remote/post.ts'
import { apiBase, at, keyOf, WINDOW } from '../remote/settings.ts'

/** Characters that it takes at a time. */
const MOST = 100_000

const path = z.string().min(1).max(200)
const settings = z.strictObject({
  api_key: secret().optional().describe('Its key. Default: the variable `LOCKLLM_API_KEY`.'),
  api_base: apiBase('Where it is. Default: https://api.lockllm.com.'),
  path: z.string().startsWith('/').default('/v1/scan').describe('Default: /v1/scan.'),
  sensitivity: z.enum(['low', 'medium', 'high']).default('medium').describe('As LockLLM has it. Default: medium.'),
  scan_mode: z
    .enum(['normal', 'policy_only', 'combined'])
    .optional()
    .describe('Whether its account’s own policies count, too (`x-lockllm-scan-mode`).'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('From which score on it is flagged. Default: as LockLLM says itself.'),
  max_characters: z
    .number()
    .int()
    .min(500)
    .max(MOST)
    .default(MOST)
    .describe('Longer texts go in parts. Default: 100,000.'),
  fields: z
    .strictObject({
      input: path.default('input').describe('Of the question: the text. Default: input.'),
      sensitivity: path.default('sensitivity').describe('Default: sensitivity.'),
      safe: path
        .default('safe')
        .describe('Of the answer: whether it is harmless. Points lead into objects. Default: safe.'),
      flagged: path.optional().describe('In place of `safe`, where a service says the opposite.'),
      confidence: path.default('injection').describe('Of the answer: the score. Default: injection.'),
      label: path.optional().describe('Of the answer: what it is called, where that is text.'),
    })
    .prefault({})
    .describe('What the fields are called, for services that call them otherwise.'),
})

export const lockllm = defineKind({
  kind: 'lockllm',
  settings,
  make: (said, tools) => ({
    kind: 'lockllm',
    local: false,
    needsWhole: false,
    window: WINDOW,
    kinds: SAID,
    version: versionOf('lockllm', 1, said),
    async look(subject, signal) {
      const documents = documentsOf(subject.pieces, said.max_characters)
      if (documents.length === 0) return PASSED
      const key = keyOf(said.api_key, tools, 'LOCKLLM_API_KEY', 'LockLLM')
      const url = at(said.api_base ?? 'https://api.lockllm.com', said.path)
      const headers: Record<string, string> = { authorization: `Bearer ${key}` }
      if (said.scan_mode) headers['x-lockllm-scan-mode'] = said.scan_mode
      const { fields } = said
      const looks = await each(documents, signal, async (text, until) => {
        const body = { [fields.input]: text, [fields.sensitivity]: said.sensitivity }
        const reply = await post(tools, { service: 'LockLLM', url, headers, body, reply: z.looseObject({}) }, until)
        return verdict(reply, said)
      })
      return worst(looks)
    },
  }),
})

function verdict(reply: unknown, { fields, threshold }: z.output<typeof settings>): Look {
  const said = field(reply, fields.flagged ?? fields.safe)
  const confidence = Number(field(reply, fields.confidence))
  const isScore = Number.isFinite(confidence) && confidence >= 0 && confidence <= 1
  if (typeof said !== 'boolean' || (threshold !== undefined && !isScore))
    throw new GuardError('bad_reply', 'LockLLM answered without a verdict: see the guardrail’s `fields`.', false)
  const flagged = threshold !== undefined ? confidence >= threshold : fields.flagged ? said : !said
  const label = fields.label ? field(reply, fields.label) : undefined
  return {
    flagged,
    categories: flagged ? [typeof label === 'string' ? label.slice(0, 64) : 'prompt_injection'] : [],
    findings: [],
    ...(isScore ? { confidence } : {}),
  }
}

/** @param path names with points between */
function field(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (from, name) =>
        typeof from === 'object' && from !== null && Object.hasOwn(from, name)
          ? (from as Record<string, unknown>)[name]
          : undefined,
      value,
    )
}
