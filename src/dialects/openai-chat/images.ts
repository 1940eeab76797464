/**
 * Pictures that a model drew, in an answer of chat: OpenAI has none there; OpenRouter and LiteLLM say `images`, a list of
 * `image_url` parts, beside the content.
 */
import type { Json, Part, Source } from '../canonical.ts'
import { sourceOf, urlOf } from '../parts.ts'
import { isObject, isString } from '../wire.ts'

type Image = Part & { type: 'image' }

/** They are marked, so that they go back to such a server as they came. */
export function readImages(said: unknown): Image[] {
  return (Array.isArray(said) ? said : []).flatMap((one): Image[] => {
    const image = isObject(one) && isObject(one.image_url) ? one.image_url : {}
    if (!isString(image.url)) return []
    return [
      { type: 'image', source: sourceOf(image.url), extras: { dialect: 'openai-chat', fields: { as: 'images' } } },
    ]
  })
}

export const isDrawn = (part: Image): boolean =>
  part.extras?.dialect === 'openai-chat' && part.extras.fields.as === 'images'

export const writeImage = (source: Source, index: number): Json => ({
  type: 'image_url',
  image_url: { url: urlOf(source) },
  index,
})
