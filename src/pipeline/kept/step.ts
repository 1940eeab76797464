/** What the steps of files and batches have in common: whose things they are, and a request to where they lie. */
import { UpstreamFailure } from '../../core/failure.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Target } from '../../core/target.ts'
import type { Usage } from '../../core/usage.ts'
import type { Json } from '../../dialects/canonical.ts'
import { readAnyError } from '../../dialects/failure-of.ts'
import { thrown } from '../../upstream/classify.ts'
import type { Link } from '../../upstream/link.ts'
import type { Call } from '../call.ts'
import type { Belonging, Io } from '../io.ts'
import { readWhole } from '../read-whole.ts'
import { ownerOf } from '../recollect.ts'

export interface Done {
  body?: Json
  status?: number
  contentType?: string
  /** Instead of a body; ends the call itself. */
  stream?: ReadableStream<Uint8Array>
  usage?: Usage
  /** Nano-dollars. */
  cost?: number
}

export type Step = (call: Call, io: Io, id: string) => Promise<Done>

/** What a provider may call a thing: it goes into paths. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$/
const LARGEST_OBJECT = 4 * 1024 * 1024

export const owner = (call: Call): string => ownerOf(call.keyId)

/** The caller's own thing. @throws Refusal not_found, for somebody else's too */
export function mine(call: Call, io: Io, kind: Belonging['kind'], id: string): Belonging {
  const found = ID.test(id) ? io.belongings.get(owner(call), kind, id) : undefined
  if (!found) throw new Refusal('not_found', `No such ${kind}: '${id.slice(0, 100)}'.`, { param: 'id' })
  return found
}

/** The target at which a thing lies. @throws Refusal where the operator has taken it away */
export function targetOf(call: Call, thing: Belonging): Target {
  const { aliases, wildcards } = call.snapshot
  for (const { targets } of [...aliases.values(), ...wildcards])
    for (const target of targets) if (target.id === thing.target) return target
  throw new Refusal('not_found', `'${thing.id}' lies at a target that is no longer configured here: ask the operator.`)
}

/** The address of things of this kind at a target. */
export function placeOf(link: Link, kind: Belonging['kind'], ...rest: string[]): string {
  const base = link.place(kind === 'file' ? 'files' : 'batches')
  if (base === undefined) throw new Refusal('not_found', `${link.target.provider} keeps no ${kind}s.`)
  // Azure's ends with its version.
  const [path = '', query] = base.split('?')
  const whole = [path, ...rest.map(encodeURIComponent)].join('/')
  return query === undefined ? whole : `${whole}?${query}`
}

/**
 * Asks where things lie.
 * @throws Refusal: the provider's own word where the caller is at fault, ours for everything else
 */
export async function fetchFrom(
  call: Call,
  io: Io,
  link: Link,
  request: { method: string; url: string; body?: Uint8Array; contentType?: string; abort?: AbortController },
): Promise<Response> {
  const { method, url, body, contentType } = request
  const abort = request.abort ?? new AbortController()
  const signal = call.leaving
  const leave = () => abort.abort()
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  const deadline = io.deadlines.arm(io.now() + link.target.timeouts.total, leave)
  try {
    const headers: Record<string, string> = { ...(await link.authorized({ method, url, body: body ?? '' })) }
    if (body === undefined) delete headers['content-type']
    else headers['content-type'] = contentType ?? 'application/json'
    const init = { method, headers, signal: abort.signal }
    const response = await link.fetch(
      url,
      body === undefined ? init : { ...init, body: body as Uint8Array<ArrayBuffer> },
    )
    if (!response.ok) throw await refused(response, link)
    return response
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    const failure = thrown(cause, signal.aborted)
    if (signal.aborted) throw new Refusal('client_closed', 'The caller left.')
    const told = failure instanceof UpstreamFailure ? link.scrub(failure.failure.message) : String(failure)
    throw new Refusal('upstream_unreachable', `${link.target.provider} can't be reached now. Try again.`, {
      private: told,
    })
  } finally {
    io.deadlines.disarm(deadline)
    signal.removeEventListener('abort', leave)
  }
}

async function refused(response: Response, link: Link): Promise<Refusal> {
  const { status } = response
  const text = await readWhole(response, 64 * 1024).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  )
  const failure = readAnyError(status, text)
  const message = link.scrub(failure.message)
  if (status === 404) return new Refusal('not_found', message)
  if (status === 429)
    return new Refusal('rate_limit_exceeded', `${link.target.provider} limits our rate. Try again.`, {
      private: message,
    })
  if (status >= 400 && status < 500 && status !== 401 && status !== 403)
    return new Refusal('invalid_request', message, { status, param: failure.param })
  const code = status === 401 || status === 403 || status < 400 ? 'upstream_misconfigured' : 'upstream_error'
  return new Refusal(code, `${link.target.provider} refused this (${status}). The operator finds why in the log.`, {
    private: message,
  })
}

/** The object in an answer. @throws Refusal upstream_error */
export async function objectIn(response: Response): Promise<Json & { id: string }> {
  try {
    const json = JSON.parse(new TextDecoder().decode(await readWhole(response, LARGEST_OBJECT))) as Json
    if (typeof json.id === 'string' && ID.test(json.id)) return json as Json & { id: string }
  } catch {}
  throw new Refusal('upstream_error', 'The provider answered with something that is no such object.')
}

/** Remembers what a provider said of a thing of this caller's. */
export function remember(
  call: Call,
  io: Io,
  thing: Pick<Belonging, 'kind' | 'target' | 'alias'>,
  facts: Json & { id: string },
): void {
  const { kind, target, alias } = thing
  io.belongings.put({ kind, target, alias, owner: owner(call), id: facts.id, facts, createdAt: io.now() })
}
