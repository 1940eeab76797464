/**
 * Requests that are passed on as they are, to targets that know them: images, speech, moderation. There is
 * nothing to translate; what is read of an answer is its usage and whether it is an error.
 */
import { type Usage, usage } from '../core/usage.ts'
import type { DialectId, Json } from './canonical.ts'
import type { ForwardDialect, Frame, Sight } from './dialect.ts'
import { readAnyError } from './failure-of.ts'
import { writeError, writeStreamError } from './openai/error.ts'
import { readUsage as readOpenAi } from './openai/usage.ts'
import { readUsage as readResponses } from './openai-responses/usage.ts'
import { glanceWith, type Look, sight } from './sight.ts'
import { isObject, wordOf } from './wire.ts'

/** @param required fields that must be there, of a JSON body and of a form alike */
export function forward(id: DialectId, required: ForwardDialect['fields']['required']): ForwardDialect {
  return {
    id,
    op: 'forward',
    fields: { maxTokens: [], required, known: ['model', 'stream', 'n'] },
    writeError,
    writeStreamError,
    readError: readAnyError,
    glance: (body) => glanceWith(body, look),
    tap: () => tap,
  }
}

function look(json: Json): Look {
  if (isObject(json.error))
    return {
      failure: {
        kind: 'server',
        status: 200,
        message: String(json.error.message ?? 'an error in a 200').slice(0, 500),
      },
    }
  return { content: true, finished: true, usage: usageIn(json) }
}

/**
 * OpenAI's usage in its two spellings (images and transcriptions have the newer one), the images that were made, and how
 * long the recording was that was written down.
 */
function usageIn(json: Json): Usage | undefined {
  const said = isObject(json.usage) ? json.usage : {}
  const images = Array.isArray(json.data) ? json.data.filter((one) => isObject(one) && hasImage(one)).length : 0
  const counted = readResponses(said) ?? readOpenAi(said, json.service_tier) ?? readDuration(said) ?? readDuration(json)
  if (!counted) return images > 0 ? usage({ images }) : undefined
  // Without a word on the kinds of its tokens, what a maker of images answers is images.
  const isDrawn = (images > 0 || isDrawing(json)) && !isObject(said.output_tokens_details)
  const drawn = isDrawn ? { imageOutput: counted.output } : {}
  return { ...counted, ...drawn, images: images || (isDrawing(json) ? 1 : 0) }
}

const hasImage = (one: Json): boolean => one.b64_json !== undefined || one.url !== undefined
/** The last event of an image's stream. */
const isDrawing = ({ type }: Json): boolean => /^image_(generation|edit)\.completed$/.test(wordOf(type))

/** Seconds that were billed (whisper-1: `{type: 'duration', seconds}`), or those of a verbose transcription. */
export function readDuration(said: Json): Usage | undefined {
  const seconds = said.type === 'duration' ? said.seconds : said.task === undefined ? undefined : said.duration
  return typeof seconds === 'number' && seconds > 0 ? usage({ mediaMs: Math.round(seconds * 1000) }) : undefined
}

/** Events of a stream pass as they are; the last ones may hold usage. Where such a stream ends is where its body does. */
function tap(frame: Frame): Sight {
  if (frame.data === '[DONE]') return sight({ end: true, finished: true })
  if (!frame.data.includes('"usage"') && !frame.data.includes('"error"')) return sight({ content: true })
  return { ...glanceWith(frame.data, look), finished: false }
}
