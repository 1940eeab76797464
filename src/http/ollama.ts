/**
 * What an Ollama client asks besides for answers: which models there are, which are loaded, what one can do. Aliases
 * take the place of models, whatever is behind them; what can be known is asked of the real server.
 */
import type { Access } from '../core/access.ts'
import { namesFor, plan } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import { findAlias, type Snapshot } from '../core/snapshot.ts'
import type { Target } from '../core/target.ts'
import { inquire } from '../upstream/inquire.ts'
import type { Link } from '../upstream/link.ts'

const TIMEOUT_MS = 5_000
/** The version whose API we speak: clients switch features on by it. */
export const OLLAMA_VERSION = '0.17.4'

interface Listed {
  name: string
  model: string
  [key: string]: unknown
}

export interface OllamaDoor {
  snapshot(): Snapshot
  link(target: Target): Link
}

/** `mistral` → `mistral:latest`, as Ollama's own list says it; names with a slash or a tag stay. */
const tagged = (name: string): string => (name.includes(':') ? name : `${name}:latest`)

/** The aliases of this caller as `/api/tags` lists models. Patterns are left out: they are no model's name. */
export async function tags(door: OllamaDoor, access: Access): Promise<{ models: Listed[] }> {
  const snapshot = door.snapshot()
  const names = namesFor(snapshot, access).filter((name) => !name.includes('*'))
  const real = await listings(door, names, '/api/tags')
  return { models: names.map((name) => described(name, findAlias(snapshot, name)?.targets[0], real)) }
}

/** The loaded models among this caller's aliases. A cloud's model is always ready and never loaded. */
export async function loaded(door: OllamaDoor, access: Access): Promise<{ models: Listed[] }> {
  const snapshot = door.snapshot()
  const names = namesFor(snapshot, access).filter((name) => !name.includes('*'))
  const real = await listings(door, names, '/api/ps')
  return {
    models: names.flatMap((name) => {
      const entry = findAlias(snapshot, name)
        ?.targets.map((t) => entryOf(t, real))
        .find((e) => e !== undefined)
      return entry ? [{ ...entry, name: tagged(name), model: tagged(name) }] : []
    }),
  }
}

type Listings = ReadonlyMap<string, readonly Listed[]>

/** Asks each Ollama behind these names once; one that does not answer lists nothing. */
async function listings(door: OllamaDoor, names: readonly string[], path: string): Promise<Listings> {
  const snapshot = door.snapshot()
  const links = new Map<string, Link>()
  for (const name of names)
    for (const target of findAlias(snapshot, name)?.targets ?? []) {
      const link = door.link(target)
      if (link.provider.speaks['ollama-chat'] !== undefined) links.set(link.origin, link)
    }
  const found = await Promise.all(
    [...links].map(async ([origin, link]) => {
      const answer = await inquire(link, { path, timeoutMs: TIMEOUT_MS }).catch(() => ({ models: [] }))
      return [origin, link, (answer as { models?: Listed[] }).models ?? []] as const
    }),
  )
  const byTarget = new Map<string, readonly Listed[]>()
  for (const name of names)
    for (const target of findAlias(snapshot, name)?.targets ?? []) {
      const { origin } = door.link(target)
      byTarget.set(target.id, found.find(([o]) => o === origin)?.[2] ?? [])
    }
  return byTarget
}

const entryOf = (target: Target, real: Listings): Listed | undefined =>
  real.get(target.id)?.find((entry) => tagged(entry.name) === tagged(target.model))

const NO_DETAILS = {
  parent_model: '',
  format: '',
  family: '',
  families: null,
  parameter_size: '',
  quantization_level: '',
}

function described(name: string, target: Target | undefined, real: Listings): Listed {
  const entry = target && entryOf(target, real)
  const shown = { name: tagged(name), model: tagged(name) }
  if (entry) return { ...entry, ...shown }
  const details = { ...NO_DETAILS, family: target?.provider ?? '' }
  return { ...shown, modified_at: '2024-01-01T00:00:00Z', size: 0, digest: '', details }
}

/** What one model can do: the real server's answer where it is an Ollama's, else what is known of the target. */
export async function show(door: OllamaDoor, access: Access, body: Record<string, unknown>): Promise<unknown> {
  // aider and older clients say `name`.
  const name = body.model ?? body.name
  if (typeof name !== 'string' || name === '')
    throw new Refusal('invalid_request', "'model' is missing. Name the model to show.", { param: 'model' })
  const target = plan(door.snapshot(), name, access)[0]?.targets[0]
  if (!target) throw new Refusal('model_not_found', `model '${name}' not found`, { param: 'model' })
  const link = door.link(target)
  if (link.provider.speaks['ollama-chat'] !== undefined) {
    const asked = { ...body, model: target.model, name: undefined }
    return await inquire(link, { method: 'POST', path: '/api/show', body: asked, timeoutMs: TIMEOUT_MS }).catch(
      (cause: { status?: number }) => {
        if (cause.status === 404) throw new Refusal('model_not_found', `model '${name}' not found`, { param: 'model' })
        throw new Refusal('upstream_unreachable', `The server of the model '${name}' can't be reached.`)
      },
    )
  }
  const { abilities: able } = target
  const capabilities = [
    'completion',
    ...(able.tools ? ['tools'] : []),
    ...(able.images ? ['vision'] : []),
    ...(able.thinking ? ['thinking'] : []),
  ]
  const info = target.contextTokens
    ? { 'general.architecture': target.provider, [`${target.provider}.context_length`]: target.contextTokens }
    : {}
  return {
    modelfile: '',
    parameters: '',
    template: '',
    details: { ...NO_DETAILS, family: target.provider },
    model_info: info,
    capabilities,
    modified_at: '2024-01-01T00:00:00Z',
  }
}

/** Pulls a model to the first Ollama there is, its progress passed on. The operator's only. */
export async function pull(
  links: readonly Link[],
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Response> {
  const link = links.find((l) => l.provider.speaks['ollama-chat'] !== undefined)
  if (!link) throw new Refusal('not_found', 'No Ollama is configured here, so there is nowhere to pull to.')
  const response = await link
    .fetch(`${link.origin}/api/pull`, {
      method: 'POST',
      headers: link.headers,
      body: JSON.stringify(body),
      signal,
    })
    .catch(() => {
      throw new Refusal('upstream_unreachable', "The Ollama server can't be reached.")
    })
  return new Response(response.body, {
    status: response.status,
    headers: { 'content-type': response.headers.get('content-type') ?? 'application/x-ndjson' },
  })
}
