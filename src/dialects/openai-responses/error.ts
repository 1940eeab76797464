/** Failures of OpenAI's Responses: in a stream an event of their own, and a response that says it failed. */
import type { Failure } from '../../core/failure.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Json } from '../canonical.ts'
import { failureFrom, failureIn } from '../failure-of.ts'
import { errorBody } from '../openai/error.ts'
import { INTERRUPTED } from '../openai/interrupted.ts'
import { isObject, isString } from '../wire.ts'

/** The failure that a response or an event of a stream is; undefined where it is none. */
export function failureOf(said: Json): Failure | undefined {
  if (said.type === 'error' && !isObject(said.error)) {
    const { message, code, param } = said
    return failureFrom(200, {
      message: isString(message) ? message : '',
      code: isString(code) ? code : undefined,
      param: isString(param) ? param : undefined,
    })
  }
  if (said.type === 'response.failed') return failureOf(isObject(said.response) ? said.response : {})
  const failure = failureIn(said)
  if (failure) return failure
  if (said.type === 'response.failed' || said.status === 'failed' || said.status === 'cancelled')
    return failureFrom(200, { message: `The upstream's response was ${String(said.status ?? 'failed')}.` })
  return undefined
}

export const send = (body: Json): string => `event: ${String(body.type)}\ndata: ${JSON.stringify(body)}\n\n`

/**
 * Ends a stream for everyone: an `error` event, which OpenAI's SDKs raise (Python's only by the `error` within, which
 * OpenAI sends and its reference does not show: openai-dotnet#881), and the response that failed, which Codex looks for.
 * In this order, which is OpenAI's own, the AI SDK takes both for one failure. Where neither the response nor the count of
 * events is known (a relay broke off), both are made up.
 */
export function writeFailure(refusal: Refusal, response?: Json, sequence = 0): string {
  const { error } = errorBody(refusal) as { error: Json }
  const id = refusal.detail.facts?.request_id
  const code = error.type === 'server_error' && !refusal.detail.upstreamCode ? 'server_error' : error.code
  const failed = {
    ...(response ?? { id: `resp_${isString(id) ? id : 'failed'}`, object: 'response', output: [] }),
    status: 'failed',
    error: { code, message: refusal.message },
  }
  return (
    send({
      type: 'error',
      sequence_number: sequence,
      code: error.code,
      message: error.message,
      param: error.param,
      error,
    }) + send({ type: 'response.failed', sequence_number: sequence + 1, response: failed })
  )
}

export const writeStreamError = (refusal: Refusal): string => writeFailure(refusal)

/** @param told a refusal of ours that ends the stream; without one it is the upstream that failed, whose words nobody is told */
export const interrupted = (
  response: Json,
  sequence: number,
  told = new Refusal('stream_interrupted', INTERRUPTED),
): string => writeFailure(told, response, sequence)
