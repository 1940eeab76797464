/** `GET /backends`: the machines of the house as they stand now. Keys are named by their ids, which are no secrets. */
import type { Backend } from '../core/backend.ts'
import type { ModelAt } from '../core/model-at.ts'

export function showBackends(all: Iterable<Backend>, now: number): Record<string, unknown> {
  return { object: 'list', data: [...all].map((backend) => show(backend, now)) }
}

function show(backend: Backend, now: number) {
  const { slots, running, queue, rules, health, told } = backend
  return {
    url: backend.url,
    health: health.up === undefined ? 'unknown' : health.up ? 'up' : 'down',
    checked_at: health.checkedAt === 0 ? null : new Date(health.checkedAt).toISOString(),
    last_error: health.error ?? null,
    slots: Number.isFinite(slots.known) ? slots.known : null,
    slots_from: slots.isLearned ? 'learned' : 'said',
    running: running.size,
    queue: {
      waiting: queue.size,
      most: rules.most,
      timeout_s: rules.waitMs / 1000,
      by_key: Object.fromEntries(queue.counts()),
    },
    expected_wait_ms: Math.round(backend.expectedWait(now)),
    told: told ?? null,
    models: [...backend.models].flatMap(([name, model]) => (model.loaded ? [loaded(name, model)] : [])),
    installed: backend.installed ?? null,
  }
}

function loaded(name: string, model: ModelAt) {
  const { size = 0, vram = 0, expiresAt } = model.loaded ?? {}
  const known = size > 0
  return {
    model: name,
    size: known ? size : null,
    vram: known ? vram : null,
    cpu_share: known ? Math.round((1 - vram / size) * 1000) / 1000 : null,
    expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    took_ms: rounded(model.took.value),
    first_ms: rounded(model.first.value),
    load_ms: rounded(model.load.value),
  }
}

const rounded = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms))
