/** Pictures that a model drew: items of their own in OpenAI's Responses, with the bytes as base64. */
import type { Json, Part, Source } from '../canonical.ts'
import { imageType } from '../parts.ts'
import { isString } from '../wire.ts'
import { ID } from './content.ts'

export const DRAWN = 'image_generation_call'

/** @returns undefined for one that is not there (it failed, or it is still being drawn) */
export function readDrawn(item: Json): (Part & { type: 'image'; source: Source & { kind: 'data' } }) | undefined {
  const { result: data, output_format: format } = item
  if (item.type !== DRAWN || !isString(data) || data === '') return undefined
  const mediaType = isString(format) ? `image/${format}` : imageType(data)
  return { type: 'image', source: { kind: 'data', mediaType, data }, extras: { dialect: ID, fields: { as: item } } }
}

/** The item as it came, or one made of the picture. @param id where it has to be made */
export function writeDrawn(part: Omit<Part & { type: 'image' }, 'type'>, id: string): Json | undefined {
  const { source, extras } = part
  if (extras?.dialect === ID && extras.fields.as) return extras.fields.as as Json
  if (source.kind !== 'data') return undefined
  const output_format = source.mediaType.replace(/^image\//, '')
  return { id, type: DRAWN, status: 'completed', output_format, result: source.data }
}
