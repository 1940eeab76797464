/**
 * Gemini names the model and what is to be done in the path: `/v1beta/models/{model}:{action}`. Names may hold slashes
 * and colons themselves (`llama3.2:3b`), so the last colon counts.
 */
import { Refusal } from '../../core/refusal.ts'
import type { Json } from '../canonical.ts'

/** What a path asks for. */
export interface GeminiPath {
  dialect: 'gemini' | 'gemini-embed'
  model: string
  action: string
  stream: boolean
}

const ACTIONS: Record<string, Pick<GeminiPath, 'dialect' | 'stream'>> = {
  generateContent: { dialect: 'gemini', stream: false },
  streamGenerateContent: { dialect: 'gemini', stream: true },
  embedContent: { dialect: 'gemini-embed', stream: false },
  batchEmbedContents: { dialect: 'gemini-embed', stream: false },
}

/**
 * @param rest what follows `/models/`, decoded
 * @throws Refusal not_found for anything that is not an action of this dialect
 */
export function readPath(rest: string): GeminiPath {
  const colon = rest.lastIndexOf(':')
  const action = rest.slice(colon + 1)
  const model = colon < 0 ? '' : rest.slice(0, colon)
  const asked = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
  if (!asked || model === '')
    throw new Refusal(
      'not_found',
      `'${rest}' is no model with an action. Ask for {model}:generateContent, :streamGenerateContent, :embedContent or :batchEmbedContents.`,
    )
  return { ...asked, model, action }
}

/** The action for a chat, with the query that makes a stream one of events. */
export const chatAction = (stream: boolean): string => (stream ? 'streamGenerateContent?alt=sse' : 'generateContent')

/** The action for a body of embeddings. */
export const embedAction = (body: Json): string => ('requests' in body ? 'batchEmbedContents' : 'embedContent')

/**
 * `models/{model}:{action}`, as it stands behind the version; slashes in names stay. A caller may have chosen the name (a
 * wildcard), so it must not lead out of its place.
 * @throws Refusal model_not_found
 */
export function writePath(model: string, action: string): string {
  const named = /^(?:models|tunedModels)\//.test(model) ? model : `models/${model}`
  const steps = named.split('/')
  if (!model.isWellFormed() || steps.some((step) => step === '' || step === '.' || step === '..'))
    throw new Refusal('model_not_found', `'${model}' is not the name of a model.`, { param: 'model' })
  const path = steps.map(encodeURIComponent).join('/')
  return `${path.replace(/%3A/g, ':').replace(/%40/g, '@')}:${action}`
}
