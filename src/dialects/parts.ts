/** Content parts, as several dialects need them. */
import { Refusal } from '../core/refusal.ts'
import type { DialectId, Json, Part, Source, ToolCall } from './canonical.ts'
import type { Warn } from './dialect.ts'
import { PART_HINTS } from './hints.ts'
import { extrasFor } from './wire.ts'

/** `data:image/png;base64,…` or an address. */
export function sourceOf(url: string): Source {
  const match = /^data:([^;,]*)(?:;[^,]*)?;base64,/i.exec(url.slice(0, 200))
  if (!match) return { kind: 'url', url }
  return { kind: 'data', mediaType: match[1] || 'application/octet-stream', data: url.slice(match[0].length) }
}

export function urlOf(source: Source): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`
}

/** What an image is, by its first bytes: Ollama sends images without saying. */
export function imageType(base64: string): string {
  if (base64.startsWith('/9j/')) return 'image/jpeg'
  if (base64.startsWith('R0lGOD')) return 'image/gif'
  if (base64.startsWith('UklGR')) return 'image/webp'
  return 'image/png'
}

/** Text of a document that is text, so that a dialect without files can still be given it; undefined for others. */
export function textOfFile(part: Part & { type: 'file' }): string | undefined {
  const { source } = part
  if (source.kind !== 'data' || !/^(?:text\/|application\/json\b)/.test(source.mediaType)) return undefined
  const text = Buffer.from(source.data, 'base64').toString('utf8')
  return part.name ? `${part.name}:\n${text}` : text
}

/** What stands for a picture that the model drew where the caller's dialect has no place for one: seen, not lost. */
export const imageNote = (source: Source): string =>
  source.kind === 'url'
    ? `[The model's image: ${source.url}]`
    : `[The model drew an image (${source.mediaType}), which this API cannot carry.]`

/** An answer's parts for a dialect that has no pictures. */
export const withImageNotes = (parts: readonly Part[]): Part[] =>
  parts.map((part) => (part.type === 'image' ? { type: 'text', text: imageNote(part.source) } : part))

/** The text parts in order, one below the other. */
export function joinText(parts: readonly Part[], separator = '\n'): string {
  return parts.flatMap((part) => (part.type === 'text' || part.type === 'refusal' ? [part.text] : [])).join(separator)
}

export const callsOf = (parts: readonly Part[]): ToolCall[] =>
  parts.filter((part): part is ToolCall => part.type === 'call')

/**
 * What stands beside a part and goes out again in its own dialect; what would be missed elsewhere is warned of. Parts of
 * another dialect's own kind, and thinking, are warned of as a whole by whoever leaves them out.
 */
export function beside(dialect: DialectId, part: Part, warn: Warn): Json {
  if (!('extras' in part) || part.extras === undefined || part.type === 'foreign') return {}
  if (part.type === 'thinking') return part.extras.dialect === dialect ? part.extras.fields : {}
  return extrasFor(dialect, part.extras, warn, PART_HINTS)
}

/** What must be in the prompt for the answer to make sense and cannot be: never dropped. */
export function cannotCarry(what: string, why: string, param = 'messages'): Refusal {
  return new Refusal('unsupported_parameter', `This model can't be given ${what} (${why}). Choose another model.`, {
    param,
  })
}
