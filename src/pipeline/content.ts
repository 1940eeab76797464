/**
 * What was said and answered is kept where whoever pays has asked for it, and nowhere else: a key, its project or its team
 * (`log_content: true` in their metadata), or the operator for all. A caller may say no for a request of his own.
 */
import type { Payer } from '../core/scope.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { watchBody } from './watch-body.ts'

/** What is kept of a request. */
export interface Content {
  requestId: string
  payer: Payer
  /** ms since the epoch. */
  at: number
  status: number
  request: Kept
  answer: Kept
}

export interface Kept {
  type: string
  text: string
  /** Bytes that are not kept since there were too many. */
  cut: number
}

export interface ContentDoor {
  /** Whether it is asked for by whoever pays. The master key has asked for nothing. */
  isWanted(payer: Payer, metadata: Readonly<Record<string, unknown>> | undefined): boolean
  /** Bytes of a request, and of an answer. */
  most: number
  /** Whether a caller's own no is heard. */
  hearsNo: boolean
  keep(content: Content): void
}

/** What is kept of a text: guards that look at what is logged change it here. */
export const asLogged = (_call: Call, text: string): string => text

/** The answer as it is; where its content is to be kept, that is done on its way out. */
export function witness(call: Call, io: Io, response: Response): Response {
  const { content } = io
  if (!call.who || !content.isWanted(call.payer, call.who.key?.metadata) || (content.hearsNo && saysNo(call)))
    return response
  const parts: Uint8Array[] = []
  let length = 0
  return watchBody(response, {
    part: (bytes) => {
      if (length < content.most) parts.push(bytes.slice(0, content.most - length))
      length += bytes.byteLength
    },
    over: () => {
      const kept = (bytes: Uint8Array, whole: number, type: string | null): Kept => ({
        type: type ?? 'application/octet-stream',
        text: asLogged(call, textOf(bytes.subarray(0, content.most), type)),
        cut: Math.max(0, whole - content.most),
      })
      content.keep({
        ...{ requestId: call.id, payer: call.payer, at: call.startedAt, status: response.status },
        request: kept(call.received, call.received.byteLength, call.request.headers.get('content-type')),
        answer: kept(Buffer.concat(parts), length, response.headers.get('content-type')),
      })
    },
  })
}

/** `no-log: true` beside the messages, as in LiteLLM, or a header. */
const saysNo = ({ wishes, request }: Call): boolean =>
  wishes.noLog === true || request.headers.get('x-tollgate-no-log') === 'true'

/** Sounds, images and forms with files are not text. */
function textOf(bytes: Uint8Array, type: string | null): string {
  const isText = type === null || /json|text|event-stream|urlencoded/i.test(type)
  return isText ? new TextDecoder().decode(bytes) : ''
}
