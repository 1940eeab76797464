/** Azure AI Content Safety: what is harmful in a text, and whether it is an attack (learn.microsoft.com/azure/ai-services/content-safety; quickstart-jailbreak has the shield of 2024-09-01). */
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { PASSED, SAID, worst } from '../look.ts'
import { cut, documentsOf, each } from '../remote/parts.ts'
import { post } from '../remote/post.ts'
import { apiBase, apiKey, at, keyOf, WINDOW } from '../remote/settings.ts'

/** Characters that either takes at a time. */
const MOST = 10_000
/** Documents that a shield takes beside a prompt, and what all of them have together. */
const MOST_DOCUMENTS = 5

const common = {
  api_key: apiKey('AZURE_CONTENT_SAFETY_API_KEY'),
  api_base: apiBase(
    'Where the resource is: `https://NAME.cognitiveservices.azure.com`. Default: `AZURE_CONTENT_SAFETY_API_BASE`.',
  ),
  api_version: z.string().min(1).default('2024-09-01').describe('Default: 2024-09-01.'),
}

const CATEGORIES = ['Hate', 'SelfHarm', 'Sexual', 'Violence'] as const
const severity = z.number().int().min(0).max(7)

export const azureText = defineKind({
  kind: 'azure/text_moderations',
  litellm: ['azure/text_moderations'],
  settings: z.strictObject({
    ...common,
    severity_threshold: severity.default(2).describe('From which severity on a category flags. Default: 2.'),
    severity_threshold_by_category: z
      .partialRecord(z.enum(CATEGORIES), severity)
      .default({})
      .describe('The same for some.'),
    categories: z.array(z.enum(CATEGORIES)).min(1).optional().describe('Which are looked at. Default: all four.'),
    blocklistNames: z.array(z.string().min(1)).optional().describe('Lists of words of the resource.'),
    haltOnBlocklistHit: z.boolean().optional().describe('As Azure has it.'),
    outputType: z
      .enum(['FourSeverityLevels', 'EightSeverityLevels'])
      .default('FourSeverityLevels')
      .describe('As Azure has it.'),
  }),
  make: (said, tools) => {
    const where = baseOf(said, tools.env)
    return {
      kind: 'azure/text_moderations',
      local: false,
      needsWhole: false,
      window: WINDOW,
      kinds: SAID,
      version: versionOf('azure/text_moderations', 1, said),
      async look(subject, signal) {
        const documents = documentsOf(subject.pieces, MOST)
        if (documents.length === 0) return PASSED
        const headers = {
          'ocp-apim-subscription-key': keyOf(said.api_key, tools, 'AZURE_CONTENT_SAFETY_API_KEY', 'Azure'),
        }
        const url = at(where, `/contentsafety/text:analyze?api-version=${encodeURIComponent(said.api_version)}`)
        const looks = await each(documents, signal, async (text, until) => {
          const body = {
            text,
            outputType: said.outputType,
            ...(said.categories ? { categories: said.categories } : {}),
            ...(said.blocklistNames ? { blocklistNames: said.blocklistNames } : {}),
            ...(said.haltOnBlocklistHit === undefined ? {} : { haltOnBlocklistHit: said.haltOnBlocklistHit }),
          }
          const told = await post(
            tools,
            { service: 'Azure Content Safety', url, headers, body, reply: moderated },
            until,
          )
          const hits = told.categoriesAnalysis.filter(
            ({ category, severity = 0 }) =>
              severity >=
              (said.severity_threshold_by_category[category as (typeof CATEGORIES)[number]] ?? said.severity_threshold),
          )
          const listed = told.blocklistsMatch ?? []
          return {
            flagged: hits.length > 0 || listed.length > 0,
            categories: [
              ...hits.map(({ category }) => category.toLowerCase()),
              ...(listed.length > 0 ? ['blocklist'] : []),
            ],
            confidence: Math.max(0, ...hits.map((hit) => (hit.severity ?? 0) / 7), listed.length > 0 ? 1 : 0),
            findings: [],
          }
        })
        return worst(looks)
      },
    }
  },
})

const moderated = z.looseObject({
  categoriesAnalysis: z.array(z.looseObject({ category: z.string(), severity: z.number().optional() })),
  blocklistsMatch: z.array(z.looseObject({})).nullish(),
})

export const azureShield = defineKind({
  kind: 'azure/prompt_shield',
  litellm: ['azure/prompt_shield'],
  settings: z.strictObject(common),
  make: (said, tools) => {
    const where = baseOf(said, tools.env)
    return {
      kind: 'azure/prompt_shield',
      local: false,
      needsWhole: false,
      window: WINDOW,
      kinds: SAID,
      version: versionOf('azure/prompt_shield', 1, said),
      async look({ pieces }, signal) {
        // What tools and documents say is looked at for attacks of a third.
        const prompts = documentsOf(
          pieces.filter(({ kind }) => kind !== 'tool_result'),
          MOST,
        )
        const documents = pieces
          .filter(({ kind, text }) => kind === 'tool_result' && text.trim() !== '')
          .flatMap(({ text }) => cut(text, MOST / MOST_DOCUMENTS).map((part) => part.text))
        const questions: { userPrompt: string; documents: string[] }[] = prompts.map((userPrompt) => ({
          userPrompt,
          documents: [],
        }))
        for (let from = 0; from < documents.length; from += MOST_DOCUMENTS) {
          const some = documents.slice(from, from + MOST_DOCUMENTS)
          const last = questions[from / MOST_DOCUMENTS]
          if (last) last.documents = some
          else questions.push({ userPrompt: '', documents: some })
        }
        if (questions.length === 0) return PASSED
        const headers = {
          'ocp-apim-subscription-key': keyOf(said.api_key, tools, 'AZURE_CONTENT_SAFETY_API_KEY', 'Azure'),
        }
        const url = at(where, `/contentsafety/text:shieldPrompt?api-version=${encodeURIComponent(said.api_version)}`)
        const looks = await each(questions, signal, async (body, until) => {
          const told = await post(
            tools,
            { service: 'Azure Prompt Shields', url, headers, body, reply: shielded },
            until,
          )
          const prompt = told.userPromptAnalysis?.attackDetected === true
          const document = (told.documentsAnalysis ?? []).some(({ attackDetected }) => attackDetected)
          return {
            flagged: prompt || document,
            categories: [...(prompt ? ['user_prompt_attack'] : []), ...(document ? ['document_attack'] : [])],
            findings: [],
          }
        })
        return worst(looks)
      },
    }
  },
})

const attack = z.looseObject({ attackDetected: z.boolean() })
const shielded = z
  .looseObject({ userPromptAnalysis: attack.nullish(), documentsAnalysis: z.array(attack).nullish() })
  .refine((told) => told.userPromptAnalysis || told.documentsAnalysis)

function baseOf(said: { api_base?: string | undefined }, env: Readonly<Record<string, string | undefined>>): string {
  const base = said.api_base ?? env.AZURE_CONTENT_SAFETY_API_BASE
  if (base) return base
  throw new Error('Azure Content Safety needs `api_base`: `https://NAME.cognitiveservices.azure.com`.')
}
