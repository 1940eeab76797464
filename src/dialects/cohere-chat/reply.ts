/** A whole answer of Cohere's chat v2: why it ended, what it cost, what went wrong. */
import { type Failure, UpstreamFailure } from '../../core/failure.ts'
import { type Usage, usage } from '../../core/usage.ts'
import type { Choice, Finish, Json, Reply } from '../canonical.ts'
import type { Sight } from '../dialect.ts'
import { failureFrom, readAnyError } from '../failure-of.ts'
import { glanceWith } from '../sight.ts'
import { badReply, defined, isObject, isString } from '../wire.ts'
import { readMessage } from './messages.ts'

const READ: Readonly<Record<string, Finish['unified']>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool-calls',
}
const BROKEN = new Set(['ERROR', 'TIMEOUT'])

export function readFinish(said: unknown): Finish | undefined {
  return isString(said) && said !== '' ? { unified: READ[said] ?? 'other', raw: said } : undefined
}

/** The failure that an answer turns out to be, by the reason it gives for its end. */
export function failureOf(reason: unknown, message: unknown): Failure | undefined {
  if (!isString(reason) || !BROKEN.has(reason)) return undefined
  return failureFrom(reason === 'TIMEOUT' ? 504 : 500, { message: isString(message) ? message : '', code: reason })
}

/** What is billed; all tokens hold Cohere's own frame of the prompt as well. */
export function readUsage(said: unknown): Usage | undefined {
  if (!isObject(said)) return undefined
  const counted = [said.billed_units, said.tokens].find((one) => isObject(one) && one.input_tokens !== undefined)
  if (!isObject(counted)) return undefined
  const { input_tokens: input, output_tokens: output } = counted
  return input || output
    ? usage({ input, output, cacheRead: said.cached_tokens, searches: counted.search_units })
    : undefined
}

export function readReply(body: Json): Reply {
  const failure = failureOf(body.finish_reason, body.message)
  if (failure) throw new UpstreamFailure(failure)
  if (!isObject(body.message)) throw badReply('The answer holds no message.')
  const parts = readMessage(body.message)
  const choice = defined<Choice>({ index: 0, parts, finish: readFinish(body.finish_reason) } as Choice)
  return defined<Reply>({
    id: isString(body.id) ? body.id : '',
    model: '',
    created: 0,
    choices: [choice],
    usage: readUsage(body.usage),
  } as Reply)
}

export const glance = (body: string): Sight =>
  glanceWith(body, (reply) => {
    const failure = failureOf(reply.finish_reason, '')
    if (failure) return { failure }
    if (!isObject(reply.message)) return undefined
    const finished = readFinish(reply.finish_reason) !== undefined
    return { content: true, finished, end: true, usage: readUsage(reply.usage) }
  })

/** `{id, message}`, with the status as all that tells one kind from another. */
export function readError(status: number, body: string): Failure {
  try {
    const json: unknown = JSON.parse(body)
    if (isObject(json) && isString(json.message)) {
      const failure = failureFrom(status, { message: json.message })
      return status === 498 ? { ...failure, kind: 'content_filter' } : failure
    }
  } catch {}
  return readAnyError(status, body)
}
