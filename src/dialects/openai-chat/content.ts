/** Content parts of OpenAI's chat messages. */
import type { Json, Part } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { beside, cannotCarry, sourceOf, textOfFile, urlOf } from '../parts.ts'
import { bad, compact, extrasOf, isObject, optionalString, requiredObject, requiredString, wordOf } from '../wire.ts'

const ID = 'openai-chat'
const TEXT = new Set(['type', 'text'])
const IMAGE = new Set(['type', 'image_url'])
const AUDIO = new Set(['type', 'input_audio'])
const FILE = new Set(['type', 'file'])

/** `content` of a message, a string or a list of parts, as parts. */
export function readContent(content: unknown, path: string): Part[] {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw bad(path, 'a string or an array of parts')
  return content.map((part, index) => readPart(part, `${path}[${index}]`))
}

function readPart(value: unknown, path: string): Part {
  if (typeof value === 'string') return { type: 'text', text: value }
  const part = requiredObject(value, path)
  const withExtras = <T extends Part>(made: T, known: ReadonlySet<string>): T => {
    const extras = extrasOf(ID, part, known, path)
    return extras ? { ...made, extras } : made
  }
  switch (part.type) {
    case 'text':
      return withExtras({ type: 'text', text: requiredString(part.text, `${path}.text`) }, TEXT)
    case 'refusal':
      return { type: 'refusal', text: requiredString(part.refusal, `${path}.refusal`) }
    case 'image_url': {
      const image = isObject(part.image_url) ? part.image_url : { url: part.image_url }
      const url = requiredString(image.url, `${path}.image_url.url`)
      const detail = optionalString(image.detail, `${path}.image_url.detail`)
      return withExtras({ type: 'image', source: sourceOf(url), ...(detail ? { detail } : {}) }, IMAGE)
    }
    case 'input_audio': {
      const audio = requiredObject(part.input_audio, `${path}.input_audio`)
      const data = requiredString(audio.data, `${path}.input_audio.data`)
      return withExtras(
        { type: 'audio', data, format: requiredString(audio.format, `${path}.input_audio.format`) },
        AUDIO,
      )
    }
    case 'file': {
      const file = requiredObject(part.file, `${path}.file`)
      const name = optionalString(file.filename, `${path}.file.filename`)
      const id = optionalString(file.file_id, `${path}.file.file_id`)
      const source = id
        ? { kind: 'id' as const, id }
        : sourceOf(requiredString(file.file_data, `${path}.file.file_data`))
      return withExtras({ type: 'file', source, ...(name ? { name } : {}) }, FILE)
    }
    default:
      return { type: 'foreign', extras: { dialect: ID, fields: part } }
  }
}

/** Parts as `content`: a string where they are nothing but one text, else a list. Calls and thinking stand elsewhere. */
export function writeContent(parts: readonly Part[], warn: Warn): string | Json[] {
  const written = parts.map((part) => writePart(part, warn)).filter((part) => part !== undefined)
  const [first] = written
  if (written.length === 0) return ''
  return written.length === 1 && first?.type === 'text' && Object.keys(first).length === 2
    ? (first.text as string)
    : written
}

function writePart(part: Part, warn: Warn): Json | undefined {
  const extras = beside(ID, part, warn)
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...extras }
    case 'refusal':
      return { type: 'refusal', refusal: part.text }
    case 'image':
      return { type: 'image_url', image_url: compact({ url: urlOf(part.source), detail: part.detail }), ...extras }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format }, ...extras }
    case 'file': {
      const { source, name } = part
      if (source.kind === 'id') {
        if (part.extras && part.extras.dialect !== ID) throw cannotCarry('a file that another provider keeps', ID)
        return { type: 'file', file: { file_id: source.id }, ...extras }
      }
      const text = textOfFile(part)
      if (text !== undefined) return { type: 'text', text }
      if (source.kind === 'url') throw cannotCarry('a document by its address', ID)
      return { type: 'file', file: { filename: name ?? 'document.pdf', file_data: urlOf(source) }, ...extras }
    }
    case 'foreign':
      if (part.extras.dialect === ID) return part.extras.fields
      warn(`messages.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
      return undefined
    default:
      return undefined
  }
}
