/** Parts of Gemini's contents (ai.google.dev/api/caching#Part), both ways. */
import { Refusal } from '../../core/refusal.ts'
import type { Extras, Json, Part, ToolCall, ToolResult } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { PART_HINTS } from '../hints.ts'
import { beside, cannotCarry, joinText, textOfFile } from '../parts.ts'
import {
  argsObject,
  bad,
  compact,
  extrasFor,
  isObject,
  isString,
  optionalObject,
  optionalString,
  requiredObject,
  requiredString,
  wordOf,
} from '../wire.ts'
import { camelled } from './spelling.ts'

export const ID = 'gemini'
/** What stands in a part beside its content. */
const BESIDE = ['thoughtSignature', 'mediaResolution', 'videoMetadata', 'partMetadata'] as const

const AUDIO: Record<string, string> = { 'audio/mpeg': 'mp3', 'audio/x-wav': 'wav' }
const AUDIO_TYPE: Record<string, string> = { mp3: 'audio/mp3', wav: 'audio/wav' }

/** @returns undefined for an empty part, which says nothing */
export function readPart(value: unknown, path: string): Part | undefined {
  const part = camelled(requiredObject(value, path), path)
  const beside: Json = {}
  for (const key of BESIDE) if (part[key] !== undefined && part[key] !== null) beside[key] = part[key]
  const extras = (more: Json = {}): { extras?: Extras } => {
    const fields = { ...beside, ...more }
    return Object.keys(fields).length > 0 ? { extras: { dialect: ID, fields } } : {}
  }
  if (isString(part.text)) {
    // Always marked: thoughts go back to a Gemini only.
    if (part.thought === true) return { type: 'thinking', text: part.text, extras: { dialect: ID, fields: beside } }
    return { type: 'text', text: part.text, ...extras() }
  }
  if (part.inlineData !== undefined) {
    const blob = camelled(requiredObject(part.inlineData, `${path}.inlineData`), `${path}.inlineData`)
    const data = requiredString(blob.data, `${path}.inlineData.data`)
    const mediaType = requiredString(blob.mimeType, `${path}.inlineData.mimeType`)
    const name = optionalString(blob.displayName, `${path}.inlineData.displayName`)
    if (mediaType.startsWith('image/')) return { type: 'image', source: { kind: 'data', mediaType, data }, ...extras() }
    if (mediaType.startsWith('audio/')) {
      const format = AUDIO[mediaType] ?? mediaType.slice('audio/'.length)
      return { type: 'audio', data, format, ...extras({ mimeType: mediaType }) }
    }
    const source = { kind: 'data' as const, mediaType, data }
    return { type: 'file', source, ...(name === undefined ? {} : { name }), ...extras() }
  }
  if (part.fileData !== undefined) {
    const file = camelled(requiredObject(part.fileData, `${path}.fileData`), `${path}.fileData`)
    return readFile(requiredString(file.fileUri, `${path}.fileData.fileUri`), file.mimeType, extras)
  }
  if (part.functionCall !== undefined) {
    const call = camelled(requiredObject(part.functionCall, `${path}.functionCall`), `${path}.functionCall`)
    const id = optionalString(call.id, `${path}.functionCall.id`) ?? ''
    const name = requiredString(call.name, `${path}.functionCall.name`)
    const args = optionalObject(call.args, `${path}.functionCall.args`)
    return { type: 'call', id, name, args: JSON.stringify(args ?? {}), ...extras() }
  }
  if (part.functionResponse !== undefined) return readResult(part.functionResponse, `${path}.functionResponse`)
  if (Object.keys(part).every((key) => key === 'thoughtSignature' || key === 'thought'))
    return part.thoughtSignature ? { type: 'text', text: '', ...extras() } : undefined
  return { type: 'foreign', extras: { dialect: ID, fields: { type: kindOf(part), ...part } } }
}

const kindOf = (part: Json): string => Object.keys(part).find((key) => isObject(part[key])) ?? 'unknown'

/** Files that Google keeps are its own; anything else is an address. */
function readFile(uri: string, mimeType: unknown, extras: (more: Json) => { extras?: Extras }): Part {
  const type = isString(mimeType) ? mimeType : ''
  const own = extras({ mimeType: type })
  const isKept =
    uri.startsWith('gs://') || /^https:\/\/generativelanguage\.googleapis\.com\//.test(uri) || !/^https?:/.test(uri)
  if (isKept) return { type: 'file', source: { kind: 'id', id: uri }, ...own }
  if (type.startsWith('image/')) return { type: 'image', source: { kind: 'url', url: uri }, ...own }
  return { type: 'file', source: { kind: 'url', url: uri }, ...own }
}

/** The result is an object there: `output` or `error` where it follows Google's advice, anything otherwise. */
function readResult(value: unknown, path: string): ToolResult {
  const result = camelled(requiredObject(value, path), path)
  const name = requiredString(result.name, `${path}.name`)
  const response = optionalObject(result.response, `${path}.response`) ?? {}
  const keys = Object.keys(response)
  const only = keys.length === 1 ? keys[0]! : ''
  const isError = only === 'error'
  const told = only === 'output' || only === 'result' || isError ? response[only] : response
  const parts: Part[] = [{ type: 'text', text: isString(told) ? told : JSON.stringify(told) }]
  for (const [index, part] of (Array.isArray(result.parts) ? result.parts : []).entries()) {
    const read = readPart(part, `${path}.parts[${index}]`)
    if (read) parts.push(read)
  }
  return {
    type: 'result',
    callId: optionalString(result.id, `${path}.id`) ?? '',
    name,
    parts,
    ...(isError ? { isError } : {}),
    extras: { dialect: ID, fields: { response } },
  }
}

const BAD_ARGS = () =>
  new Refusal('invalid_request', 'The arguments of a tool call in messages are not a JSON object.', {
    param: 'messages',
  })

/** A part of a user's, the system's or the model's turn; results of tools have a turn of their own. */
export function writePart(part: Part, warn: Warn): Json | undefined {
  const { mimeType, ...extras } = beside(ID, part, warn)
  switch (part.type) {
    case 'text':
      // An empty part is refused unless it carries a signature.
      return part.text === '' && !extras.thoughtSignature ? undefined : { text: part.text, ...extras }
    case 'refusal':
      return part.text === '' ? undefined : { text: part.text }
    case 'image':
    case 'file':
      return { ...writeBlob(part, mimeType), ...extras }
    case 'audio': {
      const type = isString(mimeType) ? mimeType : (AUDIO_TYPE[part.format] ?? `audio/${part.format}`)
      return { inlineData: { mimeType: type, data: part.data }, ...extras }
    }
    case 'thinking':
      if (part.extras?.dialect === ID) return { text: part.text, thought: true, ...extras }
      warn.adapted?.('messages.thinking', 'a Gemini takes back only its own thoughts')
      return undefined
    case 'redacted_thinking':
      warn.adapted?.('messages.redacted_thinking', 'thinking that only its own provider can read')
      return undefined
    case 'call':
      return { functionCall: writeCall(part, BAD_ARGS), ...extras }
    case 'result':
      return { functionResponse: { name: part.name ?? '', response: {} } }
    case 'foreign': {
      if (part.extras.dialect !== ID) {
        warn(`messages.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
        return undefined
      }
      const { type: _, ...fields } = part.extras.fields
      return fields
    }
  }
}

/** @param otherwise what to throw where the arguments are no object */
export const writeCall = (call: ToolCall, otherwise: () => Error): Json =>
  compact({ id: call.id || undefined, name: call.name, args: argsObject(call.args, otherwise) })

/** By the ending of its address, where nothing else says: Google wants to be told. */
const BY_ENDING: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  mp4: 'video/mp4',
}

function writeBlob(part: Part & { type: 'image' | 'file' }, said: unknown): Json {
  const { source } = part
  if (source.kind === 'data') {
    const { mediaType, data } = source
    return { inlineData: { mimeType: mediaType, data } }
  }
  if (source.kind === 'id') {
    if (part.extras && part.extras.dialect !== ID) throw cannotCarry('a file that another provider keeps', ID)
    return { fileData: compact({ mimeType: said || undefined, fileUri: source.id }) }
  }
  const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(source.url)?.[1]?.toLowerCase() ?? ''
  const mimeType = isString(said) && said !== '' ? said : BY_ENDING[ending]
  return { fileData: compact({ mimeType, fileUri: source.url }) }
}

/** A result, and after it what does not fit into one. */
export function writeResult(result: ToolResult, name: string, warn: Warn): { written: Json; aside: Part[] } {
  const own = extrasFor(ID, result.extras, warn, PART_HINTS)
  const isText = (part: Part) => part.type === 'text' || part.type === 'refusal' || textIn(part) !== undefined
  const aside = result.parts.filter((part) => !isText(part))
  const text = joinText(result.parts.map((part) => ({ type: 'text', text: textIn(part) ?? joinText([part]) }) as Part))
  if (aside.length > 0) warn.adapted?.('messages.tool_result', 'images and files of tool results are sent beside them')
  const response = isObject(own.response) ? own.response : responseOf(text, result.isError === true)
  return { written: { functionResponse: compact({ id: result.callId || undefined, name, response }) }, aside }
}

const textIn = (part: Part): string | undefined => (part.type === 'file' ? textOfFile(part) : undefined)

/** As Google advises. A text that is JSON stays a text: parsed and written again it might be another one. */
const responseOf = (text: string, isError: boolean): Json => (isError ? { error: text } : { output: text })

export function requireParts(content: Json, path: string): unknown[] {
  const { parts } = content
  if (parts === undefined || parts === null) return []
  if (!Array.isArray(parts)) throw bad(`${path}.parts`, 'an array')
  return parts
}
