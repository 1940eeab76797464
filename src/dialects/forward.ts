/**
 * Requests that are passed on as they are, to targets that know them: images, speech, moderation. There is
 * nothing to translate; what is read of an answer is its usage and whether it is an error.
 */
import { type Usage, usage } from '../core/usage.ts'
import type { DialectId, Json } from './canonical.ts'
import type { ForwardDialect, Frame, Sight } from './dialect.ts'
import { readAnyError } from './failure-of.ts'
import { writeError, writeStreamError } from './openai/error.ts'
import { glanceWith, type Look, sight } from './sight.ts'
import { isObject } from './wire.ts'

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

/** OpenAI's usage in its two spellings: images and transcriptions have the newer one. */
function usageIn(json: Json): Usage | undefined {
  const said = json.usage
  if (!isObject(said)) return undefined
  const input = said.input_tokens ?? said.prompt_tokens
  const output = said.output_tokens ?? said.completion_tokens
  if (input === undefined && output === undefined && said.total_tokens === undefined) return undefined
  return usage({ input: input ?? said.total_tokens, output })
}

/** Events of a stream pass as they are; the last ones may hold usage. Where such a stream ends is where its body does. */
function tap(frame: Frame): Sight {
  if (frame.data === '[DONE]') return sight({ end: true, finished: true })
  if (!frame.data.includes('"usage"') && !frame.data.includes('"error"')) return sight({ content: true })
  return { ...glanceWith(frame.data, look), finished: false }
}
