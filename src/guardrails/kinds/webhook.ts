/** A scanner of one's own, behind HTTP: asked in our own JSON and signed, or as LiteLLM asks (`generic_guardrail_api`). */
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { secret } from '../../secrets/secret.ts'
import { type Finding, GuardError, type Subject } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { apart, PASSED, SAID } from '../look.ts'
import { codePointOffsets } from '../remote/parts.ts'
import { post } from '../remote/post.ts'
import { apiBase, at, url, WINDOW } from '../remote/settings.ts'

/** Of what is told of a call. */
const MOST_FINDINGS = 10_000

const headers = z
  .record(z.string().regex(/^[A-Za-z0-9-]+$/), secret())
  .default({})
  .describe('Sent along; their values are secrets.')

const placed = z.strictObject({
  piece: z.number().int().min(0),
  start: z.number().int().min(0),
  end: z.number().int().min(0),
  what: z.string().min(1).max(64),
  confidence: z.number().min(0).max(1).default(1),
  replacement: z.string().max(1_000).optional(),
  action: z.enum(['block', 'redact']).optional(),
})

export const webhook = defineKind({
  kind: 'webhook',
  settings: z.strictObject({
    url: url().describe('Who is asked, by POST.'),
    secret: secret().optional().describe('With which each question is signed: HMAC-SHA256 over its time and body.'),
    headers,
    offsets: z
      .enum(['utf16', 'code_points'])
      .default('utf16')
      .describe(
        'How it counts characters: as JavaScript and Java (`utf16`), or as Python and Go’s runes (`code_points`).',
      ),
    needs_whole: z
      .boolean()
      .default(false)
      .describe('Whether it judges whole answers only; then streams wait. Default: false.'),
    window: z
      .number()
      .int()
      .min(16)
      .max(8_192)
      .default(WINDOW)
      .describe('Of a stream: characters that are held back. Default: 512.'),
  }),
  make: (said, tools) => ({
    kind: 'webhook',
    local: false,
    needsWhole: said.needs_whole,
    window: said.window,
    kinds: SAID,
    version: versionOf('webhook', 1, said),
    async look(subject, signal) {
      const { direction, model, whole, pieces } = subject
      if (pieces.length === 0) return PASSED
      const body = JSON.stringify({ version: 1, direction, model, whole, pieces })
      const reply = z.looseObject({
        flagged: z.boolean(),
        categories: z.array(z.string().max(64)).max(100).default([]),
        confidence: z.number().min(0).max(1).optional(),
        findings: z.array(placed).max(MOST_FINDINGS).default([]),
      })
      const sent = {
        ...revealed(said.headers),
        ...(said.secret ? signature(said.secret.reveal(), body, tools.now()) : {}),
      }
      const told = await post(tools, { service: 'The webhook', url: said.url, headers: sent, body, reply }, signal)
      const findings = told.findings.map((one): Finding => place(one, subject, said.offsets))
      return {
        flagged: told.flagged,
        categories: told.flagged ? told.categories : [],
        findings: pieces.flatMap((_, piece) => apart(findings.filter((one) => one.piece === piece))),
        ...(told.confidence === undefined ? {} : { confidence: told.confidence }),
      }
    },
  }),
})

const revealed = (headers: Readonly<Record<string, { reveal(): string }>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()]))

/** `v1=` and HMAC-SHA256, in hexadecimal, of the time in seconds, a point and the body: what is old can be refused. */
export function signature(key: string, body: string, now: number): Record<string, string> {
  const time = String(Math.floor(now / 1_000))
  const digest = createHmac('sha256', key).update(`${time}.${body}`).digest('hex')
  return { 'x-tollgate-timestamp': time, 'x-tollgate-signature': `v1=${digest}` }
}

function place(
  { replacement, action, ...one }: z.output<typeof placed>,
  { pieces }: Subject,
  offsets: 'utf16' | 'code_points',
): Finding {
  const text = pieces[one.piece]?.text ?? ''
  const utf16 = offsets === 'utf16' ? (offset: number) => offset : codePointOffsets(text)
  const [start, end] = [utf16(one.start), utf16(one.end)]
  if (end <= start || end > text.length)
    throw new GuardError('bad_reply', 'The webhook told of a place that is not in the text.', false)
  return {
    ...one,
    start,
    end,
    ...(replacement === undefined ? {} : { replacement }),
    ...(action === undefined ? {} : { action }),
  }
}

/** docs.litellm.ai/docs/adding_provider/generic_guardrail_api: what is asked and answered. */
const PATH = '/beta/litellm_basic_guardrail_api'

export const genericGuardrailApi = defineKind({
  kind: 'generic_guardrail_api',
  litellm: ['generic_guardrail_api'],
  settings: z.strictObject({
    api_base: apiBase(
      `Where it is; \`${PATH}\` is put behind it. Default: the variable \`GENERIC_GUARDRAIL_API_BASE\`.`,
    ),
    api_key: secret().optional().describe('Sent as `x-api-key`.'),
    headers,
    additional_provider_specific_params: z.record(z.string(), z.unknown()).default({}).describe('Sent along.'),
  }),
  make(said, tools) {
    const base = said.api_base ?? tools.env.GENERIC_GUARDRAIL_API_BASE
    if (!base) throw new Error('a generic guardrail needs `api_base`.')
    const address = base.replace(/\/+$/, '').endsWith(PATH) ? base : at(base, PATH)
    const key: Record<string, string> = said.api_key ? { 'x-api-key': said.api_key.reveal() } : {}
    return {
      kind: 'generic_guardrail_api',
      local: false,
      needsWhole: false,
      window: WINDOW,
      kinds: SAID,
      version: versionOf('generic_guardrail_api', 1, said),
      async look({ pieces, direction }, signal) {
        if (pieces.length === 0) return PASSED
        const texts = pieces.map(({ text }) => text)
        const body = {
          texts,
          request_data: {},
          input_type: direction === 'input' ? 'request' : 'response',
          additional_provider_specific_params: said.additional_provider_specific_params,
        }
        const sent = { ...key, ...revealed(said.headers) }
        const told = await post(
          tools,
          { service: 'The guardrail’s API', url: address, headers: sent, body, reply: acted },
          signal,
        )
        if (told.action === 'NONE') return PASSED
        if (told.action === 'BLOCKED') return { flagged: true, categories: ['blocked'], findings: [] }
        if (told.texts?.length !== texts.length)
          throw new GuardError(
            'bad_reply',
            'The guardrail’s API changed texts, and answered with another number of them.',
            false,
          )
        const findings = told.texts.flatMap((text, piece) => changed(texts[piece] as string, text, piece))
        // It stepped in, and changed nothing that was asked.
        return { flagged: true, categories: ['changed'], findings }
      },
    }
  },
})

const acted = z.looseObject({
  action: z.enum(['BLOCKED', 'NONE', 'GUARDRAIL_INTERVENED']),
  texts: z.array(z.string()).nullish(),
})

/** The one stretch in which two texts differ, as a find that says what it becomes. */
export function changed(from: string, to: string, piece: number): Finding[] {
  if (from === to) return []
  const least = Math.min(from.length, to.length)
  let start = 0
  while (start < least && from.charCodeAt(start) === to.charCodeAt(start)) start++
  let back = 0
  while (back < least - start && from.charCodeAt(from.length - 1 - back) === to.charCodeAt(to.length - 1 - back)) back++
  // What was only put in stands in the place of what is beside it; no character is cut in two.
  if (from.length - back === start) {
    if (start > 0) start--
    else back--
  }
  if (start > 0 && isLow(from.charCodeAt(start))) start--
  if (back > 0 && isLow(from.charCodeAt(from.length - back))) back--
  return [
    {
      piece,
      start,
      end: from.length - back,
      what: 'CHANGED',
      confidence: 1,
      replacement: to.slice(start, to.length - back),
      action: 'redact',
    },
  ]
}

const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff
