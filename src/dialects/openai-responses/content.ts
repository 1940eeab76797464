/** Content parts of OpenAI's Responses (platform.openai.com/docs/api-reference/responses), both ways. */
import type { Extras, Json, Part } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { beside, cannotCarry, sourceOf, textOfFile, urlOf } from '../parts.ts'
import { bad, compact, extrasOf, isString, optionalString, requiredObject, requiredString, wordOf } from '../wire.ts'

export const ID = 'openai-responses'
const TEXT = new Set(['type', 'text'])
const IMAGE = new Set(['type', 'image_url', 'detail', 'file_id'])
const AUDIO = new Set(['type', 'input_audio'])
const FILE = new Set(['type', 'file_data', 'file_url', 'file_id', 'filename'])

/** `content` of a message or `output` of a tool, a string or a list of parts, as parts. */
export function readContent(content: unknown, path: string): Part[] {
  if (content === undefined || content === null) return []
  if (isString(content)) return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw bad(path, 'a string or an array of content parts')
  return content.map((part, index) => readPart(requiredObject(part, `${path}[${index}]`), `${path}[${index}]`))
}

/** A mark: what came in this dialect goes out in it again. */
const OWN: Extras = { dialect: ID, fields: {} }

export function readPart(part: Json, path: string): Part {
  const withExtras = <T extends Part>(made: T, known: ReadonlySet<string>): T => {
    const extras = said(extrasOf(ID, part, known, path))
    return extras ? { ...made, extras } : made
  }
  const foreign: Part = { type: 'foreign', extras: { dialect: ID, fields: part } }
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return withExtras({ type: 'text', text: requiredString(part.text, `${path}.text`) }, TEXT)
    case 'refusal':
      return { type: 'refusal', text: requiredString(part.refusal, `${path}.refusal`) }
    case 'input_image': {
      // An image by the id of a file is OpenAI's own.
      const url = optionalString(part.image_url, `${path}.image_url`)
      if (url === undefined) return foreign
      const detail = optionalString(part.detail, `${path}.detail`)
      return withExtras({ type: 'image', source: sourceOf(url), ...(detail ? { detail } : {}) }, IMAGE)
    }
    case 'input_audio': {
      const audio = requiredObject(part.input_audio, `${path}.input_audio`)
      const data = requiredString(audio.data, `${path}.input_audio.data`)
      const format = requiredString(audio.format, `${path}.input_audio.format`)
      return withExtras({ type: 'audio', data, format, extras: OWN }, AUDIO)
    }
    case 'input_file':
      return withExtras(readFile(part, path), FILE)
    default:
      if (!isString(part.type)) throw bad(`${path}.type`, 'a string')
      return foreign
  }
}

function readFile(part: Json, path: string): Part & { type: 'file' } {
  const name = optionalString(part.filename, `${path}.filename`)
  const named = name === undefined ? {} : { name }
  const id = optionalString(part.file_id, `${path}.file_id`)
  if (id !== undefined) return { type: 'file', source: { kind: 'id', id }, ...named }
  const url = optionalString(part.file_url, `${path}.file_url`)
  if (url !== undefined) return { type: 'file', source: { kind: 'url', url }, ...named }
  return { type: 'file', source: sourceOf(requiredString(part.file_data, `${path}.file_data`)), ...named }
}

/** Without what says nothing: empty lists of annotations and odds stand in every text that OpenAI writes. */
function said(extras: Extras | undefined): Extras | undefined {
  if (!extras) return undefined
  const fields: Json = {}
  for (const [key, value] of Object.entries(extras.fields)) {
    if (value !== null && !(Array.isArray(value) && value.length === 0)) fields[key] = value
  }
  return Object.keys(fields).length > 0 ? { dialect: ID, fields } : undefined
}

/** What a user, the system or a tool says: a string where it is nothing but one text. */
export function writeContent(parts: readonly Part[], warn: Warn): string | Json[] {
  const written = parts.map((part) => writePart(part, warn)).filter((part) => part !== undefined)
  const [first] = written
  if (written.length === 0) return ''
  return written.length === 1 && first?.type === 'input_text' && Object.keys(first).length === 2
    ? (first.text as string)
    : written
}

function writePart(part: Part, warn: Warn): Json | undefined {
  const extras = beside(ID, part, warn)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { type: 'input_text', text: part.text, ...extras }
    case 'image':
      return { type: 'input_image', image_url: urlOf(part.source), detail: part.detail ?? 'auto', ...extras }
    case 'file':
      return { type: 'input_file', ...writeFile(part), ...extras }
    case 'audio':
      if (part.extras?.dialect === ID)
        return { type: 'input_audio', input_audio: { data: part.data, format: part.format }, ...extras }
      throw cannotCarry('audio', 'the Responses API takes text, images and files')
    case 'foreign':
      if (part.extras.dialect === ID) return part.extras.fields
      warn(`input.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
      return undefined
    default:
      return undefined
  }
}

function writeFile(part: Part & { type: 'file' }): Json {
  const { source, name, extras } = part
  if (source.kind === 'id') {
    if (extras && extras.dialect !== ID) throw cannotCarry('a file that another provider keeps', ID)
    return compact({ file_id: source.id, filename: name })
  }
  if (source.kind === 'url') return compact({ file_url: source.url, filename: name })
  const ending = textOfFile(part) === undefined ? 'pdf' : 'txt'
  return { filename: name ?? `document.${ending}`, file_data: urlOf(source) }
}

/**
 * What an assistant said, as the content of a message of the output.
 * @param annotations of this text, where they are not its own dialect's
 */
export function writeSaid(part: Part & { type: 'text' | 'refusal' }, annotations: Json[] = []): Json {
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.text }
  const extras = part.extras?.dialect === ID ? part.extras.fields : {}
  return { type: 'output_text', text: part.text, annotations, ...extras }
}
