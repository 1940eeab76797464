/**
 * OpenAI's chat in a container of SageMaker's: AWS's frames around the container's own stream, and AWS's error around its
 * own (docs.aws.amazon.com/sagemaker/latest/APIReference, API_runtime_InvokeEndpointWithResponseStream).
 */
import { UpstreamFailure } from '../../core/failure.ts'
import { failureOf, readError as readAwsError } from '../bedrock-converse/error.ts'
import type { ChatTarget } from '../dialect.ts'
import { PIECE } from '../eventstream.ts'
import { readAnyError } from '../failure-of.ts'
import { openaiChat } from '../openai-chat/index.ts'
import { SseFramer } from '../sse.ts'
import { isObject } from '../wire.ts'

function reader(): ReturnType<ChatTarget['reader']> {
  const framer = new SseFramer()
  const read = openaiChat.reader()
  return ({ event, data, bytes }) => {
    if (event === PIECE)
      return framer.push(bytes ?? new Uint8Array()).flatMap(({ frame }) => (frame ? read(frame) : []))
    // `InternalStreamFailure` and `ModelStreamError`.
    const failure = failureOf(event && /failure$/i.test(event) ? 'internalServerException' : event, data)
    if (failure) throw new UpstreamFailure(failure)
    return []
  }
}

/** Of a container's error (424) what the container said; else AWS's own. */
function readError(status: number, body: string) {
  try {
    const json: unknown = JSON.parse(body)
    if (isObject(json) && typeof json.OriginalStatusCode === 'number')
      return readAnyError(json.OriginalStatusCode, String(json.OriginalMessage ?? ''))
  } catch {}
  const failure = readAwsError(status, body)
  // "Endpoint x of account 1 not found." is a 400.
  return /^Endpoint \S+ of account \d+ not found/.test(failure.message)
    ? { ...failure, kind: 'not_found' as const }
    : failure
}

export const sagemakerChat: ChatTarget = {
  id: 'sagemaker-chat',
  op: 'chat',
  framing: 'eventstream',
  writeRequest: openaiChat.writeRequest,
  readReply: openaiChat.readReply,
  reader,
  readError,
  glance: openaiChat.glance,
}
