/** Content blocks of Anthropic's messages (platform.claude.com/docs/en/api/messages), both ways. */
import { Refusal } from '../../core/refusal.ts'
import type { Extras, Json, Part, Source, ToolResult } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { beside, cannotCarry, textOfFile } from '../parts.ts'
import {
  argsObject,
  bad,
  compact,
  extrasOf,
  isObject,
  isString,
  optionalString,
  requiredObject,
  requiredString,
  wordOf,
} from '../wire.ts'
import { withoutOurs } from './citations.ts'

export const ID = 'anthropic'
const TEXT = new Set(['type', 'text'])
const IMAGE = new Set(['type', 'source'])
const DOCUMENT = new Set(['type', 'source', 'title'])
const USE = new Set(['type', 'id', 'name', 'input'])
const RESULT = new Set(['type', 'tool_use_id', 'content', 'is_error'])
const THINKING = new Set(['type', 'thinking', 'signature'])

/** `content` of a message or a tool's result, a string or a list of blocks, as parts. */
export function readContent(content: unknown, path: string): Part[] {
  if (content === undefined || content === null) return []
  if (isString(content)) return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) throw bad(path, 'a string or an array of content blocks')
  return content.map((block, index) => readBlock(requiredObject(block, `${path}.${index}`), `${path}.${index}`))
}

export function readBlock(block: Json, path: string): Part {
  const withExtras = <T extends Part>(made: T, known: ReadonlySet<string>): T => {
    const extras = extrasOf(ID, block, known, path)
    return extras ? { ...made, extras } : made
  }
  const foreign: Part = { type: 'foreign', extras: { dialect: ID, fields: block } }
  switch (block.type) {
    case 'text': {
      const text = requiredString(block.text, `${path}.text`)
      const extras = extrasOf(ID, withoutOurs(block), TEXT, path)
      return { type: 'text', text, ...(extras ? { extras } : {}) }
    }
    case 'image': {
      const source = readSource(requiredObject(block.source, `${path}.source`), `${path}.source`)
      return source && source.kind !== 'id' ? withExtras({ type: 'image', source }, IMAGE) : foreign
    }
    case 'document': {
      const source = readSource(requiredObject(block.source, `${path}.source`), `${path}.source`)
      const name = optionalString(block.title, `${path}.title`)
      return source ? withExtras({ type: 'file', source, ...(name ? { name } : {}) }, DOCUMENT) : foreign
    }
    case 'tool_use':
      return withExtras(
        {
          type: 'call',
          id: requiredString(block.id, `${path}.id`),
          name: requiredString(block.name, `${path}.name`),
          args: JSON.stringify(block.input ?? {}),
        },
        USE,
      )
    case 'tool_result': {
      const result: ToolResult = {
        type: 'result',
        callId: requiredString(block.tool_use_id, `${path}.tool_use_id`),
        parts: readContent(block.content, `${path}.content`),
        ...(block.is_error === true ? { isError: true } : {}),
      }
      return withExtras(result, RESULT)
    }
    case 'thinking': {
      const signature = optionalString(block.signature, `${path}.signature`)
      const text = requiredString(block.thinking, `${path}.thinking`)
      return withExtras({ type: 'thinking', text, ...(signature === undefined ? {} : { signature }) }, THINKING)
    }
    case 'redacted_thinking':
      return { type: 'redacted_thinking', data: requiredString(block.data, `${path}.data`) }
    default:
      if (!isString(block.type)) throw bad(`${path}.type`, 'a string')
      return foreign
  }
}

/** @returns undefined for a source that only Anthropic knows */
function readSource(source: Json, path: string): Source | { kind: 'id'; id: string } | undefined {
  switch (source.type) {
    case 'base64':
      return {
        kind: 'data',
        mediaType: requiredString(source.media_type, `${path}.media_type`),
        data: requiredString(source.data, `${path}.data`),
      }
    case 'url':
      return { kind: 'url', url: requiredString(source.url, `${path}.url`) }
    case 'file':
      return { kind: 'id', id: requiredString(source.file_id, `${path}.file_id`) }
    case 'text':
      return {
        kind: 'data',
        mediaType: 'text/plain',
        data: Buffer.from(requiredString(source.data, `${path}.data`)).toString('base64'),
      }
    default:
      return undefined
  }
}

/** Parts as blocks; empty texts are left out, since Anthropic refuses them. */
export function writeContent(parts: readonly Part[], warn: Warn): Json[] {
  return parts.map((part) => writeBlock(part, warn)).filter((block) => block !== undefined)
}

function writeSource(source: Source): Json {
  return source.kind === 'url'
    ? { type: 'url', url: source.url }
    : { type: 'base64', media_type: source.mediaType, data: source.data }
}

const BAD_ARGS = () =>
  new Refusal('invalid_request', 'The arguments of a tool call in messages are not a JSON object.', {
    param: 'messages',
  })

/**
 * A mark for caching that a caller of another dialect has set: many who speak OpenAI's do (OpenRouter's and LiteLLM's way),
 * and it saves most of the price.
 */
export const cacheMark = (extras: Extras | undefined): Json =>
  extras && extras.dialect !== ID && isObject(extras.fields.cache_control)
    ? { cache_control: extras.fields.cache_control }
    : {}

function writeBlock(part: Part, warn: Warn): Json | undefined {
  const extras = { ...beside(ID, part, warn), ...('extras' in part ? cacheMark(part.extras) : {}) }
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? undefined : { type: 'text', text: part.text, ...extras }
    case 'image':
      return { type: 'image', source: writeSource(part.source), ...extras }
    case 'file':
      return { type: 'document', ...writeDocument(part), ...extras }
    case 'thinking':
      if (part.signature) return { type: 'thinking', thinking: part.text, signature: part.signature, ...extras }
      warn.adapted?.('messages.thinking', 'thinking without a signature is not taken back')
      return undefined
    case 'redacted_thinking':
      return { type: 'redacted_thinking', data: part.data }
    case 'call':
      return {
        type: 'tool_use',
        id: callId(part.id),
        name: part.name,
        input: argsObject(part.args, BAD_ARGS),
        ...extras,
      }
    case 'result':
      return compact({
        type: 'tool_result',
        tool_use_id: callId(part.callId),
        content: writeResultContent(part.parts, warn),
        is_error: part.isError,
        ...extras,
      })
    case 'audio':
      throw cannotCarry('audio', ID)
    case 'foreign':
      if (part.extras.dialect === ID) return part.extras.fields
      warn(`messages.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
      return undefined
  }
}

function writeDocument(part: Part & { type: 'file' }): Json {
  const { source, name, extras } = part
  const title = name === undefined ? {} : { title: name }
  if (source.kind === 'id') {
    if (extras && extras.dialect !== ID) throw cannotCarry('a file that another provider keeps', ID)
    return { source: { type: 'file', file_id: source.id }, ...title }
  }
  const text = textOfFile({ ...part, name: '' })
  if (text !== undefined) return { source: { type: 'text', media_type: 'text/plain', data: text }, ...title }
  return { source: writeSource(source), ...title }
}

function writeResultContent(parts: readonly Part[], warn: Warn): string | Json[] | undefined {
  const blocks = writeContent(parts, warn)
  const [first] = blocks
  if (blocks.length === 0) return undefined
  return blocks.length === 1 && first?.type === 'text' && Object.keys(first).length === 2
    ? (first.text as string)
    : blocks
}

/** Anthropic takes ids of letters, digits, `_` and `-` only; the same id always becomes the same. */
export const callId = (id: string): string =>
  /^[a-zA-Z0-9_-]+$/.test(id) ? id : id.replace(/[^a-zA-Z0-9_-]/g, '_') || 'call'
