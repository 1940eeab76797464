/** /v1/models in the shape that the caller's client expects. */
import { type Access, isGranted, mayAsk, meantBy } from '../core/access.ts'
import { namesFor } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import { findAlias, type Snapshot } from '../core/snapshot.ts'
import type { Visit } from './route.ts'

/** Models have no birthday here; clients want a number all the same. */
const CREATED = 1_700_000_000

const openaiModel = (id: string, snapshot: Snapshot) => ({
  id,
  object: 'model',
  created: CREATED,
  owned_by: findAlias(snapshot, id)?.targets[0]?.provider ?? 'tollgate',
})

const anthropicModel = (id: string) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: new Date(CREATED * 1000).toISOString(),
})

/** As ai.google.dev/api/models has it; a client reads from it what it may ask of a model. */
function geminiModel(id: string, snapshot: Snapshot) {
  const inputTokenLimit = findAlias(snapshot, id)?.targets[0]?.contextTokens
  return {
    name: `models/${id}`,
    displayName: id,
    ...(inputTokenLimit === undefined ? {} : { inputTokenLimit }),
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens', 'embedContent'],
  }
}

export type ModelShape = 'openai' | 'anthropic' | 'gemini'

/** Whose client asks: Anthropic's and Google's say it by a header, and Google's of before `/v1` by the path. */
export function shapeFor({ request, url }: Visit): ModelShape {
  if (request.headers.has('anthropic-version')) return 'anthropic'
  const isGoogle = request.headers.has('x-goog-api-client') || request.headers.has('x-goog-api-key')
  return isGoogle || /^\/v1(beta|alpha)\//.test(url.pathname) ? 'gemini' : 'openai'
}

export function listModels(snapshot: Snapshot, access: Access, shape: ModelShape): Record<string, unknown> {
  const names = namesFor(snapshot, access)
  if (shape === 'gemini') return { models: names.map((name) => geminiModel(name, snapshot)) }
  if (shape === 'anthropic')
    return {
      data: names.map(anthropicModel),
      has_more: false,
      first_id: names[0] ?? null,
      last_id: names.at(-1) ?? null,
    }
  return { object: 'list', data: names.map((name) => openaiModel(name, snapshot)) }
}

/** @throws Refusal model_not_found, also for a model that this caller may not use */
export function showModel(snapshot: Snapshot, access: Access, shape: ModelShape, id: string): Record<string, unknown> {
  const known = findAlias(snapshot, meantBy(access, id))
  const mayUse = known !== undefined && mayAsk(access, id) && isGranted(access, known.grant)
  if (!known || !mayUse)
    throw new Refusal('model_not_found', `The model '${id.slice(0, 200)}' does not exist here or is not found.`, {
      param: 'model',
    })
  if (shape === 'gemini') return geminiModel(id, snapshot)
  return shape === 'anthropic' ? anthropicModel(id) : openaiModel(id, snapshot)
}
