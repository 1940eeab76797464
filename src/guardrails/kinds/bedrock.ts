/** Guardrails of Amazon Bedrock, asked apart from a model (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html). */
import { z } from 'zod'
import { secret } from '../../secrets/secret.ts'
import { type Finding, GuardError, type GuardTools, type Piece } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { apart, PASSED, SAID } from '../look.ts'
import { each, type Part, partsOf } from '../remote/parts.ts'
import { post } from '../remote/post.ts'
import { at, url, WINDOW } from '../remote/settings.ts'

/** Characters of a question: 25 units of text, as accounts have them at first. */
const MOST = 25_000

const text = (what: string) => z.string().min(1).optional().describe(what)
const settings = z.strictObject({
  guardrailIdentifier: z.string().min(1).describe('Its id or ARN.'),
  guardrailVersion: z.string().min(1).default('DRAFT').describe('Its version. Default: DRAFT.'),
  api_key: secret().optional().describe('An API key of Bedrock’s: then nothing is signed.'),
  aws_bedrock_runtime_endpoint: url().optional().describe('Where it is. Default: of the region.'),
  aws_region_name: text('Default: `AWS_REGION`.'),
  aws_access_key_id: text('As a target of Bedrock has it.'),
  aws_secret_access_key: secret().optional(),
  aws_session_token: secret().optional(),
  aws_profile_name: text('As a target of Bedrock has it.'),
  aws_role_name: text('As a target of Bedrock has it.'),
  aws_session_name: text('As a target of Bedrock has it.'),
  aws_external_id: secret().optional(),
  aws_web_identity_token: secret().optional(),
  aws_sts_endpoint: text('As a target of Bedrock has it.'),
})

const acted = z.looseObject({ action: z.string().nullish() })
const matched = z.looseObject({
  action: z.string().nullish(),
  match: z.string(),
  type: z.string().nullish(),
  name: z.string().nullish(),
})
const reply = z.looseObject({
  action: z.enum(['NONE', 'GUARDRAIL_INTERVENED']),
  assessments: z
    .array(
      z.looseObject({
        topicPolicy: z.looseObject({ topics: z.array(acted.extend({ name: z.string() })).nullish() }).nullish(),
        contentPolicy: z.looseObject({ filters: z.array(acted.extend({ type: z.string() })).nullish() }).nullish(),
        wordPolicy: z
          .looseObject({ customWords: z.array(matched).nullish(), managedWordLists: z.array(matched).nullish() })
          .nullish(),
        sensitiveInformationPolicy: z
          .looseObject({ piiEntities: z.array(matched).nullish(), regexes: z.array(matched).nullish() })
          .nullish(),
        contextualGroundingPolicy: z
          .looseObject({ filters: z.array(acted.extend({ type: z.string() })).nullish() })
          .nullish(),
      }),
    )
    .nullish(),
})

export const bedrock = defineKind({
  kind: 'bedrock',
  litellm: ['bedrock'],
  settings,
  make(said, tools) {
    const region = said.aws_region_name ?? tools.env.AWS_REGION ?? tools.env.AWS_DEFAULT_REGION ?? 'us-east-1'
    const base = said.aws_bedrock_runtime_endpoint ?? `https://bedrock-runtime.${region}.amazonaws.com`
    const address = at(
      base,
      `/guardrail/${encodeURIComponent(said.guardrailIdentifier)}/version/${encodeURIComponent(said.guardrailVersion)}/apply`,
    )
    return {
      kind: 'bedrock',
      local: false,
      needsWhole: false,
      window: WINDOW,
      kinds: SAID,
      version: versionOf('bedrock', 1, said),
      async look(subject, signal) {
        const questions = grouped(partsOf(subject.pieces, MOST))
        if (questions.length === 0) return PASSED
        const looks = await each(questions, signal, async (parts, until) => {
          const body = JSON.stringify({
            source: subject.direction === 'input' ? 'INPUT' : 'OUTPUT',
            content: parts.map((part) => ({ text: { text: part.text } })),
          })
          const key =
            said.api_key?.reveal() ?? (said.aws_access_key_id ? undefined : tools.env.AWS_BEARER_TOKEN_BEDROCK)
          const headers = key ? { authorization: `Bearer ${key}` } : await signed(tools, said, region, address, body)
          const told = await post(tools, { service: 'Bedrock', url: address, headers, body, reply }, until)
          return verdict(told, subject.pieces, parts)
        })
        const flagged = looks.filter((look) => look.flagged)
        if (flagged.length === 0) return PASSED
        // One that says no place makes all of it one that can't be redacted.
        const isPlaced = flagged.every(({ findings }) => findings.length > 0)
        const findings = isPlaced ? flagged.flatMap((look) => look.findings) : []
        return {
          flagged: true,
          categories: [...new Set(flagged.flatMap((look) => look.categories))],
          findings: subject.pieces.flatMap((_, piece) => apart(findings.filter((one) => one.piece === piece))),
        }
      },
    }
  },
})

/** @throws GuardError where there is nobody to sign as */
async function signed(
  tools: GuardTools,
  said: z.output<typeof settings>,
  region: string,
  url: string,
  body: string,
): Promise<Record<string, string>> {
  if (!tools.sign) throw new GuardError('refused', 'Bedrock needs an `api_key` here: nothing can be signed.', false)
  try {
    return await tools.sign(said, 'bedrock', region, { method: 'POST', url, body })
  } catch {
    throw new GuardError('refused', 'Bedrock has no credentials: say `api_key` or `aws_access_key_id`.', true)
  }
}

/** Parts in questions of what Bedrock takes at a time. */
function grouped(parts: readonly Part[]): Part[][] {
  const groups: Part[][] = []
  let size = 0
  for (const part of parts) {
    const last = groups.at(-1)
    if (last && size + part.text.length <= MOST) last.push(part)
    else {
      groups.push([part])
      size = 0
    }
    size += part.text.length
  }
  return groups
}

function verdict(told: z.output<typeof reply>, pieces: readonly Piece[], parts: readonly Part[]) {
  const categories: string[] = []
  const findings: Finding[] = []
  let unplaced = told.action === 'GUARDRAIL_INTERVENED'
  let any = false
  const hits = <T extends { action?: string | null | undefined }>(all: readonly T[] | null | undefined): T[] =>
    (all ?? []).filter(({ action }) => action !== 'NONE')
  for (const one of told.assessments ?? []) {
    for (const { name } of hits(one.topicPolicy?.topics)) categories.push(`topic:${name}`)
    for (const { type } of hits(one.contentPolicy?.filters)) categories.push(type.toLowerCase())
    for (const { type } of hits(one.contextualGroundingPolicy?.filters)) categories.push(type.toLowerCase())
    if (categories.length > 0) any = true
    const words = [...hits(one.wordPolicy?.customWords), ...hits(one.wordPolicy?.managedWordLists)]
    const sensitive = [
      ...hits(one.sensitiveInformationPolicy?.piiEntities),
      ...hits(one.sensitiveInformationPolicy?.regexes),
    ]
    for (const { match, type, name } of [...words, ...sensitive]) {
      const what = (type ?? name ?? 'word').toUpperCase().replace(/[^A-Z0-9]+/g, '_')
      categories.push(what.toLowerCase())
      // It tells what it found, not where: each place at which that stands.
      const places = parts.flatMap(({ piece }) => placesOf(pieces[piece] as Piece, match, piece))
      if (places.length === 0) any = true
      findings.push(...places.map((place) => ({ ...place, what, confidence: 1 })))
    }
  }
  unplaced &&= any || findings.length === 0
  return {
    flagged: told.action === 'GUARDRAIL_INTERVENED',
    categories: categories.length > 0 ? categories : ['intervened'],
    findings: unplaced ? [] : findings,
  }
}

function placesOf({ text }: Piece, match: string, piece: number): { piece: number; start: number; end: number }[] {
  const places: { piece: number; start: number; end: number }[] = []
  if (match === '') return places
  for (let at = text.indexOf(match); at >= 0; at = text.indexOf(match, at + match.length))
    places.push({ piece, start: at, end: at + match.length })
  return places
}
