/** The way of a request to any other path of a provider: the same doors, limits and ledger as everywhere, one attempt. */

import { withField } from '../../dialects/multipart.ts'
import { splice } from '../../dialects/splice.ts'
import { HOP_HEADER, onward } from '../../upstream/hops.ts'
import { accessOf } from '../access.ts'
import { charge } from '../accounts.ts'
import { authenticate } from '../authenticate.ts'
import { Call } from '../call.ts'
import type { Door, Io } from '../io.ts'
import { limit } from '../limit.ts'
import { receiveBytes } from '../receive.ts'
import { refuse } from '../refuse.ts'
import { mayGoUnseen } from '../whose-guards.ts'
import { addressUnder, segmentsBehind } from './address.ts'
import { chooseTarget, targetsOf } from './choose.ts'
import { run } from './errand.ts'
import { permit } from './permit.ts'
import { readSubject, type Subject } from './subject.ts'

/** Headers of the caller that go along. A key, an organisation to bill or an address is never among them. */
const TAKEN_ALONG = [
  'content-type',
  'accept',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
  'idempotency-key',
  'range',
]
const READS = new Set(['GET', 'HEAD', 'DELETE'])

/** @param provider its id, the first part of the path */
export async function pass(io: Io, request: Request, door: Door, provider: string): Promise<Response> {
  const call = new Call(io.ledger.nextOperation(), io.now(), request, door, io.snapshot())
  try {
    const who = await authenticate(call, io)
    const segments = segmentsBehind(request.url, provider)
    const [any] = targetsOf(call.snapshot, provider)
    permit(who, provider, segments, any !== undefined && io.link(any).place('files') !== undefined)
    await receiveBytes(call, io)
    const subject = readSubject(call, segments)
    charge(call, io)
    const { target, model } = chooseTarget(
      call.snapshot,
      accessOf(call, io),
      provider,
      subject.model,
      !READS.has(request.method),
    )
    const { maxTokens, n, stream } = subject
    const scan = { keys: new Map(), duplicates: [], open: 0 }
    call.peek = {
      model: subject.model ?? target.alias,
      stream,
      includeUsage: false,
      n,
      scan,
      ...(maxTokens === undefined ? {} : { maxTokens }),
    }
    call.stages = [{ alias: target.alias, targets: [target] }]
    const sendsNothing = READS.has(request.method) && call.bytes.byteLength === 0 && !saysMore(request.url)
    const instead = "The gateway's own routes for models are seen: docs/api.md."
    mayGoUnseen(call, io, 'pass-through requests', instead, sendsNothing)
    await limit(call, io, READS.has(request.method) ? 'other' : 'generation')
    const link = io.link(target).forTarget(target)
    // An alias of ours means nothing to the provider.
    const path = model === undefined ? segments : segments.map((part) => renamed(part, subject.model, model))
    const query = request.url.includes('?') ? request.url.slice(request.url.indexOf('?') + 1) : ''
    return await run(call, io, {
      link,
      method: request.method,
      url: addressUnder(link.origin, path, query.split('#')[0] ?? ''),
      headers: { ...takenAlong(request.headers), ...onward(request.headers.get(HOP_HEADER)) },
      body: call.bytes.byteLength === 0 ? undefined : bodyFor(call, subject, model),
    })
  } catch (cause) {
    return refuse(call, io, cause)
  }
}

/** Whether its query holds more than pages, limits and ids. */
function saysMore(url: string): boolean {
  const at = url.indexOf('?')
  return at >= 0 && !/^[\w=&.,[\]-]*$/.test(url.slice(at + 1))
}

/** `pic:predict` → `real-pic:predict`, where the segment is the alias that was named. */
function renamed(part: string, alias: string | undefined, model: string): string {
  if (alias === undefined || alias === model || !(part === alias || part.startsWith(`${alias}:`))) return part
  return encodeURIComponent(model) + part.slice(alias.length)
}

function bodyFor(call: Call, { model: said, inBody }: Subject, model: string | undefined): Uint8Array {
  if (model === undefined || said === model) return call.bytes
  if (call.form) return withField(call.bytes, call.form, 'model', model)
  return inBody ? splice(call.bytes, { model }) : call.bytes
}

export function takenAlong(from: Headers, names: readonly string[] = TAKEN_ALONG): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of names) {
    const value = from.get(name)
    if (value !== null) headers[name] = value
  }
  return headers
}
