/**
 * What servers of one's own tell of themselves, and where: their slots, what runs and waits, which models are loaded.
 * Read tolerantly: a version that says less is a server that tells less.
 */
import type { Loaded } from '../src/core/model-at.ts'
import type { Told, Watch } from '../src/upstream/provider.ts'

type Json = Record<string, unknown>

const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const list = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : [])
const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined
const atLeastOne = (value: unknown): number | undefined => count(value) || undefined
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Ollama (docs/api.md: list running models, list local models). How many it answers at once it tells nobody. */
export const ollama: Watch = {
  looks: [
    {
      path: '/api/ps',
      read: (body): Told => ({
        loaded: list(object(body).models).map((model): Loaded => {
          const expiresAt = Date.parse(text(model.expires_at))
          return {
            model: text(model.name),
            size: count(model.size) ?? 0,
            vram: count(model.size_vram) ?? 0,
            expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt,
          }
        }),
      }),
    },
    { path: '/api/tags', read: (body) => ({ installed: list(object(body).models).map((model) => text(model.name)) }) },
  ],
}

/** vLLM (docs.vllm.ai/en/latest/usage/metrics): gauges of what runs and waits; its `max_num_seqs` it tells nobody. */
export const vllm: Watch = {
  health: '/health',
  looks: [
    {
      path: '/metrics',
      plain: true,
      read: (body) => ({
        running: gauge(text(body), 'vllm:num_requests_running'),
        waiting: gauge(text(body), 'vllm:num_requests_waiting'),
      }),
    },
  ],
}

/** The sum of a gauge over its labels; undefined where there is none. */
function gauge(page: string, name: string): number | undefined {
  let sum: number | undefined
  for (const line of page.split('\n')) {
    if (!line.startsWith(name) || !/^[{ ]/.test(line.slice(name.length))) continue
    const value = Number(
      line
        .slice(line.lastIndexOf('}') + 1)
        .trim()
        .split(/\s+/)
        .at(line.includes('}') ? 0 : 1),
    )
    if (Number.isFinite(value)) sum = (sum ?? 0) + value
  }
  return sum
}

/** llama.cpp (tools/server/README.md): `/health` is 503 while it loads; `/slots` may be switched off. */
export const llamacpp: Watch = {
  health: '/health',
  looks: [
    { path: '/props', read: (body) => ({ slots: atLeastOne(object(body).total_slots) }) },
    {
      path: '/slots',
      read: (body): Told => {
        const slots = list(body)
        return slots.length === 0
          ? {}
          : { slots: slots.length, running: slots.filter((slot) => slot.is_processing === true).length }
      },
    },
  ],
}

/** LM Studio (lmstudio.ai/docs/api/rest-api, v0): all models it has, and which are loaded. */
export const lmStudio: Watch = {
  looks: [
    {
      path: '/api/v0/models',
      read: (body): Told => {
        const models = list(object(body).data)
        const loaded = models.filter((model) => model.state === 'loaded')
        return {
          installed: models.map((model) => text(model.id)),
          loaded: loaded.map((model) => ({ model: text(model.id), size: 0, vram: 0, expiresAt: undefined })),
        }
      },
    },
  ],
}

/** Text Generation Inference (its OpenAPI page): the router answers more than this with 429. */
export const tgi: Watch = {
  health: '/health',
  looks: [{ path: '/info', read: (body) => ({ slots: atLeastOne(object(body).max_concurrent_requests) }) }],
}

/** SGLang (docs.sglang.ai, native APIs): one state for each of its data-parallel parts. */
export const sglang: Watch = {
  health: '/health',
  looks: [
    {
      path: '/get_server_info',
      read: (body): Told => {
        const each = list(object(body).internal_states).map((s) => atLeastOne(s.effective_max_running_requests_per_dp))
        const sum = each.reduce<number>((all, one) => all + (one ?? 0), 0)
        return { slots: sum > 0 ? sum : atLeastOne(object(body).max_running_requests) }
      },
    },
  ],
}
