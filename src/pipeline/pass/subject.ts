/** What a passed-through request is about: the model it names, in its body or in its path. */

import { Refusal } from '../../core/refusal.ts'
import type { Json } from '../../dialects/canonical.ts'
import { fieldOf, isForm, readForm } from '../../dialects/multipart.ts'
import { readJson } from '../../dialects/read-json.ts'
import { scan } from '../../dialects/scan.ts'
import { isObject } from '../../dialects/wire.ts'
import type { Call } from '../call.ts'

export interface Subject {
  /** Undefined where none is named. */
  model: string | undefined
  maxTokens: number | undefined
  n: number
  stream: boolean
  /** The body is JSON and names the model: there another name of it can be put in. */
  inBody: boolean
}

const LIMITS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'max_tokens_to_sample']
/** Behind these words a path names a model: Gemini's and Azure's, Bedrock's. */
const PLACES = ['models', 'deployments', 'model']

const number = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined

const same = (a: string, b: string): boolean => a.replace(/^models\//, '') === b.replace(/^models\//, '')

/** Reads the body that `call.bytes` is. @throws Refusal invalid_json, invalid_request where it says two things */
export function readSubject(call: Call, segments: readonly string[]): Subject {
  const at = segments.findIndex((part) => PLACES.includes(part))
  const inPath = at < 0 ? undefined : segments[at + 1]?.replace(/:[A-Za-z]+$/, '')
  const subject = readBody(call)
  if (inPath !== undefined && subject.model !== undefined && !same(inPath, subject.model))
    throw new Refusal(
      'invalid_request',
      `The path names the model '${inPath}', the body '${subject.model}'. Name one.`,
      {
        param: 'model',
      },
    )
  return { ...subject, model: subject.model?.replace(/^models\//, '') ?? inPath }
}

function readBody(call: Call): Subject {
  const nothing: Subject = { model: undefined, maxTokens: undefined, n: 1, stream: false, inBody: false }
  const { bytes } = call
  if (bytes.byteLength === 0) return nothing
  const contentType = call.request.headers.get('content-type')
  if (isForm(contentType)) {
    call.form = readForm(bytes, contentType)
    return { ...nothing, model: fieldOf(bytes, call.form, 'model') || undefined }
  }
  // Whatever it says it is: an upstream that reads it as JSON reads this model.
  const first = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart()[0]
  if (first === '[') throw new Refusal('invalid_request', 'A body that is passed through must be an object or a file.')
  if (first !== '{') return nothing
  const found = scan(bytes)
  for (const key of [...found.duplicates, ...[...found.keys.keys()].filter((k) => k !== 'model')])
    if (key.normalize('NFKC').toLowerCase() === 'model')
      throw new Refusal('invalid_request', "The body names its model in two ways. Send one 'model'.", {
        param: 'model',
      })
  const json = readJson(bytes) as Json
  if (json.model !== undefined && json.model !== null && typeof json.model !== 'string')
    throw new Refusal('invalid_request', "'model' must be a string.", { param: 'model' })
  const config = [json.generationConfig, json.generation_config].find(isObject) ?? {}
  const limits = [...LIMITS.map((name) => json[name]), config.maxOutputTokens, config.max_output_tokens]
  return {
    model: (json.model as string | undefined) || undefined,
    maxTokens: limits.map(number).find((n) => n !== undefined),
    n: number(json.n) ?? number(config.candidateCount) ?? 1,
    stream: json.stream === true,
    inBody: typeof json.model === 'string' && json.model !== '',
  }
}
