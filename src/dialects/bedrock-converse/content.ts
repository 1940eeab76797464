/** Content blocks of Converse (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html), both ways. */
import { Refusal } from '../../core/refusal.ts'
import { callId } from '../anthropic/content.ts'
import type { Json, Part, Source, ToolResult } from '../canonical.ts'
import type { Warn } from '../dialect.ts'
import { PART_HINTS } from '../hints.ts'
import { cannotCarry, joinText, textOfFile } from '../parts.ts'
import { argsObject, extrasFor, isObject, isString, wordOf } from '../wire.ts'

export const ID = 'bedrock-converse'
const CACHE: Json = { cachePoint: { type: 'default' } }

/** 64 characters at most, of the same alphabet as Anthropic's. */
const toolId = (id: string): string => callId(id).slice(0, 64)

const BAD_ARGS = () =>
  new Refusal('invalid_request', 'The arguments of a tool call in messages are not a JSON object.', {
    param: 'messages',
  })

/** Parts as blocks; empty texts are left out, since Bedrock refuses them. */
export function writeContent(parts: readonly Part[], warn: Warn): Json[] {
  return parts.flatMap((part) => {
    const blocks = writeBlock(part, warn)
    // Anthropic's mark on a block, which others set too, is a block of its own here.
    const marked = 'extras' in part && part.extras !== undefined && 'cache_control' in part.extras.fields
    return marked && blocks.length > 0 ? [...blocks, CACHE] : blocks
  })
}

function writeBlock(part: Part, warn: Warn): Json[] {
  if ('extras' in part && part.type !== 'foreign' && part.type !== 'thinking')
    extrasFor(ID, part.extras, warn, PART_HINTS)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text.trim() === '' ? [] : [{ text: part.text }]
    case 'image':
      return [{ image: { format: imageFormat(part.source), source: bytesOf(part.source, 'an image by its address') } }]
    case 'file':
      return [writeDocument(part)]
    case 'thinking':
      if (part.signature)
        return [{ reasoningContent: { reasoningText: { text: part.text, signature: part.signature } } }]
      warn.adapted?.('messages.thinking', 'thinking without a signature is not taken back')
      return []
    case 'redacted_thinking':
      return [{ reasoningContent: { redactedContent: part.data } }]
    case 'call':
      return [{ toolUse: { toolUseId: toolId(part.id), name: part.name, input: argsObject(part.args, BAD_ARGS) } }]
    case 'result':
      return [writeResult(part, warn)]
    case 'audio':
      throw cannotCarry('audio', 'Bedrock')
    case 'foreign':
      warn(`messages.content.${wordOf(part.extras.fields.type)}`, 'the target does not know this kind of content')
      return []
  }
}

function bytesOf(source: Source, what: string): Json {
  if (source.kind === 'data') return { bytes: source.data }
  if (source.url.startsWith('s3://')) return { s3Location: { uri: source.url } }
  throw cannotCarry(what, 'Bedrock takes the bytes themselves')
}

function imageFormat(source: Source): string {
  if (source.kind === 'data') return source.mediaType.replace('image/', '').replace('jpg', 'jpeg')
  return /\.(gif|webp|png)$/i.exec(source.url)?.[1]?.toLowerCase() ?? 'jpeg'
}

const FORMATS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'text/html': 'html',
  'text/markdown': 'md',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
}

function writeDocument(part: Part & { type: 'file' }): Json {
  const { source, name } = part
  if (source.kind === 'id') throw cannotCarry('a file that another provider keeps', 'Bedrock')
  const format = source.kind === 'data' ? FORMATS[source.mediaType] : 'pdf'
  if (format === undefined) {
    const text = textOfFile(part)
    if (text === undefined) throw cannotCarry('a file of this kind', 'Bedrock')
    return { text }
  }
  // Letters, digits, single spaces, hyphens and brackets are all that a name may hold.
  const plain = (name ?? 'document').replace(/\.[a-z0-9]{2,5}$/i, '').replace(/[^a-zA-Z0-9()[\] -]+/g, '-')
  const said = plain.replace(/\s+/g, ' ').trim().slice(0, 200)
  return { document: { format, name: said || 'document', source: bytesOf(source, 'a document by its address') } }
}

function writeResult(result: ToolResult, warn: Warn): Json {
  const content = writeContent(result.parts, warn).filter((block) => !('cachePoint' in block))
  return {
    toolResult: {
      toolUseId: toolId(result.callId),
      // An empty list is refused, and so is an empty text.
      content: content.length > 0 ? content : [{ text: joinText(result.parts).trim() || '(empty)' }],
      ...(result.isError ? { status: 'error' } : {}),
    },
  }
}

/** Blocks of an answer as parts; what is not known is passed over. */
export function readContent(content: unknown): Part[] {
  return (Array.isArray(content) ? content : []).filter(isObject).flatMap((block): Part[] => {
    if (isString(block.text)) return [{ type: 'text', text: block.text }]
    if (isObject(block.toolUse)) {
      const { toolUseId, name, input } = block.toolUse
      const args = JSON.stringify(input ?? {})
      return [{ type: 'call', id: isString(toolUseId) ? toolUseId : '', name: isString(name) ? name : '', args }]
    }
    if (!isObject(block.reasoningContent)) return []
    const { reasoningText, redactedContent } = block.reasoningContent
    if (isString(redactedContent)) return [{ type: 'redacted_thinking', data: redactedContent }]
    if (!isObject(reasoningText) || !isString(reasoningText.text)) return []
    const { text, signature } = reasoningText
    return [{ type: 'thinking', text, ...(isString(signature) ? { signature } : {}) }]
  })
}
