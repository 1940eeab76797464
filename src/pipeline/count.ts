/**
 * Counting the tokens of a request without answering it: by the target where it can, else by what it has reported for
 * earlier requests. It costs nothing and leaves no charge; keys, limits and models are those of the request itself.
 */
import { pick } from '../core/pick.ts'
import { NO_USAGE } from '../core/usage.ts'
import { splice } from '../dialects/splice.ts'
import { mustSee } from '../guardrails/policy.ts'
import type { Link } from '../upstream/link.ts'
import { authenticate } from './authenticate.ts'
import { Call } from './call.ts'
import { conclude } from './conclude.ts'
import type { Door, Io } from './io.ts'
import { limit } from './limit.ts'
import { plan } from './plan.ts'
import { readWhole } from './read-whole.ts'
import { receive } from './receive.ts'
import { refuse } from './refuse.ts'
import { wantedOf } from './wanted.ts'
import { lookingAt } from './whose-guards.ts'

const TIMEOUT_MS = 15_000
const LARGEST = 64 * 1024

export async function count(io: Io, request: Request, door: Door): Promise<Response> {
  const call = new Call(io.ledger.nextOperation(), io.now(), request, door, io.snapshot())
  try {
    await authenticate(call, io)
    await receive(call, io)
    plan(call, io)
    await limit(call, io, 'other')
    const { strategy } = call.snapshot.policy
    const target = pick(call.stages, new Set(), io.view, strategy, wantedOf(call), io.random, io.now())
    // Nothing that a guardrail would have to see is shown to anybody for a number.
    const isSeen = !lookingAt(call, io).some(({ terms }) => mustSee(terms))
    const asked = target && isSeen ? await askTarget(call, io.link(target)) : undefined
    const body =
      asked ??
      door.counts?.(target ? io.state(target).experience.likelyInput(call.bytes.byteLength) : wantedOf(call).input)
    conclude(call, io, 200, 'counted', NO_USAGE, 0)
    const headers = { 'x-request-id': call.id, 'x-tollgate-usage-source': asked ? 'provider' : 'estimated' }
    return Response.json(body, { headers })
  } catch (cause) {
    return refuse(call, io, cause)
  }
}

/** The target's own count; undefined where it can't count or does not now: an estimate is better than an error. */
async function askTarget(call: Call, link: Link): Promise<unknown> {
  const url = link.countUrl(call.door.dialect.id)
  if (url === undefined) return undefined
  try {
    const { scan } = call.peek
    const body = call.door.dialect.fields.asksInPath
      ? call.bytes
      : splice(call.bytes, { model: link.target.model }, scan)
    const headers = await link.authorized({ method: 'POST', url, body })
    const signal = AbortSignal.any([call.leaving.toSignal(), AbortSignal.timeout(TIMEOUT_MS)])
    const response = await link.fetch(url, { method: 'POST', headers, body, signal })
    return response.status === 200
      ? JSON.parse(new TextDecoder().decode(await readWhole(response, LARGEST)))
      : undefined
  } catch {
    return undefined
  }
}
