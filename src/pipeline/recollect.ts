/**
 * What a caller of Responses refers to instead of saying it: the response before. It is put in front of the new input,
 * so that any target can go on with it, whoever answered then.
 */

import { Refusal } from '../core/refusal.ts'
import type { Json } from '../dialects/canonical.ts'
import { peek } from '../dialects/peek.ts'
import { readJson } from '../dialects/read-json.ts'
import { SseFramer } from '../dialects/sse.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

/** Whose responses a call may see: its key's, or those of the master key. */
export const ownerOf = (keyId: string | undefined): string => (keyId === undefined ? 'master' : `key:${keyId}`)

/** @throws Refusal for a response that is not there, and for what is kept nowhere here */
export function recollect(call: Call, io: Io): void {
  if (!call.door.keeps) return
  const { keys } = call.peek.scan
  if (keys.get('background')?.kind === 'true')
    throw new Refusal('unsupported_parameter', "'background' is not possible here: ask for a stream and stay for it.", {
      param: 'background',
    })
  if (keys.has('conversation') && keys.get('conversation')?.kind !== 'null')
    throw new Refusal(
      'unsupported_parameter',
      "Conversations are not kept here: send 'previous_response_id', or the whole input.",
      { param: 'conversation' },
    )
  const before = keys.get('previous_response_id')
  if (!before || before.kind === 'null') return
  const { previous_response_id: id, ...body } = parse(call.bytes)
  const kept = typeof id === 'string' ? io.responses.get(ownerOf(call.keyId), id) : undefined
  if (!kept)
    throw new Refusal(
      'not_found',
      `Previous response with id '${(typeof id === 'string' ? id : typeof id).slice(0, 100)}' not found.`,
      {
        status: 400,
        param: 'previous_response_id',
        upstreamCode: 'previous_response_not_found',
      },
    )
  const input = [...kept.input, ...said(kept.response.output), ...inputItems(body.input)]
  call.bytes = new TextEncoder().encode(JSON.stringify({ ...body, input }))
  call.peek = peek(call.bytes, call.door.dialect)
}

/** A text is one message of the user. */
export const inputItems = (input: unknown): unknown[] =>
  Array.isArray(input) ? input : typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : []

/**
 * The items of an answer as input: without ids, which only the server that made them knows, and without reasoning that
 * cannot be read without that server.
 */
function said(output: unknown): unknown[] {
  if (!Array.isArray(output)) return []
  return (output as Json[])
    .filter((item) => item.type !== 'reasoning' || typeof item.encrypted_content === 'string')
    .map(({ id: _, status: __, ...item }) => item)
}

/** Whether the caller wants this response kept: OpenAI's default is yes. */
export const isKept = (call: Call, io: Io): boolean =>
  call.door.keeps === true && io.responses.keeps && call.peek.scan.keys.get('store')?.kind !== 'false'

/** Keeps a whole response that has just been given. */
export function keep(call: Call, io: Io, response: Json): void {
  const { id } = response
  if (typeof id !== 'string') return
  io.responses.put(ownerOf(call.keyId), id, { response, input: inputItems(parse(call.bytes).input) })
}

/** Watches a stream of Responses for the event that holds the whole of it. */
export class Keeper {
  readonly #framer = new SseFramer()
  #response: Json | undefined

  push(bytes: Uint8Array): void {
    for (const { frame } of this.#framer.push(bytes)) {
      if (!frame || !/"type":\s*"response\.(completed|incomplete)"/.test(frame.data.slice(0, 200))) continue
      this.#response = (JSON.parse(frame.data) as { response?: Json }).response
    }
  }

  /** The response, where the stream came to its end. */
  get response(): Json | undefined {
    return this.#response
  }
}

const parse = (bytes: Uint8Array): Json => readJson(bytes) as Json
