/** The machines of the house: one for each server that a local target names, however many targets share it. */

import { Backend, type BackendRules } from '../core/backend.ts'
import { serverOf } from '../core/server-of.ts'
import { Slots } from '../core/slots.ts'
import type { TargetState } from '../core/state.ts'
import type { Target } from '../core/target.ts'
import type { Link } from './link.ts'
import { Watcher } from './watcher.ts'

/** What the configuration says of one. */
export interface BackendConfig {
  /** Undefined: told by the machine, else learned. */
  slots?: number | undefined
  queue?: number | undefined
  /** ms */
  queueWait?: number | undefined
}

export interface BackendsConfig {
  /** By address. */
  each: Readonly<Record<string, BackendConfig>>
  /** Where one says nothing of its own. */
  usual: BackendRules
}

export interface BackendsHooks {
  now(): number
  stateOf(target: Target): TargetState
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** Between two words of the log about the same machine being full, ms. */
const SAID_AGAIN_MS = 60_000

export class Backends {
  /** By address. */
  readonly all: ReadonlyMap<string, Backend>
  readonly #watchers: readonly Watcher[]
  readonly #byTarget: ReadonlyMap<string, Backend>
  readonly #hooks: BackendsHooks
  readonly #saturated = new Map<Backend, number>()

  constructor(
    links: readonly Link[],
    config: BackendsConfig,
    env: Readonly<Record<string, string | undefined>>,
    hooks: BackendsHooks,
  ) {
    this.#hooks = hooks
    const all = new Map<string, Backend>()
    const first = new Map<Backend, Link>()
    const byTarget = new Map<string, Backend>()
    for (const link of links) {
      if (!link.target.local || link.provider.inProcess) continue
      const url = serverOf(link.origin)
      let backend = all.get(url)
      if (!backend) {
        const said = config.each[url]
        const here = links.filter((l) => l.target.local && serverOf(l.origin) === url)
        const most = Math.max(0, ...here.map((l) => l.target.maxParallel))
        const slots = said?.slots ?? (most > 0 ? most : slotsInEnvironment(link, env))
        const { most: queue, waitMs } = config.usual
        const rules = { most: said?.queue ?? queue, waitMs: said?.queueWait ?? waitMs }
        backend = new Backend(url, new Slots(slots, link.provider.slots ?? Number.POSITIVE_INFINITY), rules)
        all.set(url, backend)
        first.set(backend, link)
      }
      byTarget.set(link.target.id, backend)
      hooks.stateOf(link.target).queues = true
    }
    this.all = all
    this.#watchers = [...first].map(
      ([backend, link]) => new Watcher(backend, link, { ...hooks, seen: (b) => this.#seen(b) }),
    )
    this.#byTarget = byTarget
  }

  of(target: Target): Backend | undefined {
    return this.#byTarget.get(target.id)
  }

  refresh(targets: readonly Target[], now: number): void {
    for (const target of targets) {
      const backend = this.#byTarget.get(target.id)
      if (!backend) continue
      const state = this.#hooks.stateOf(target)
      state.waitMs = backend.expectedWait(now)
      state.loadMs = backend.loadMs(target.model)
      state.spilled = backend.isSpilled(target.model)
      state.down = backend.health.up === false
    }
  }

  stop(): void {
    for (const watcher of this.#watchers) watcher.stop()
  }

  #seen(backend: Backend): void {
    if (backend.queue.size > 0 || !this.#saturated.delete(backend)) return
    this.#hooks.info('A backend has caught up: nobody waits for it.', { backend: backend.url })
  }

  noteSaturated(backend: Backend): void {
    const now = this.#hooks.now()
    const said = this.#saturated.get(backend)
    if (said !== undefined && now - said < SAID_AGAIN_MS) return
    this.#saturated.set(backend, now)
    this.#hooks.warn('A backend is saturated: requests wait for a slot.', {
      backend: backend.url,
      slots: backend.slots.known,
      waiting: backend.queue.size,
      expected_wait_ms: Math.round(backend.expectedWait(now)),
    })
  }
}

const HERE = /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|$|\/)/

/** A server beside us has its own variables, and often we have them too: Ollama's number of slots is told nowhere else. */
function slotsInEnvironment({ origin, provider }: Link, env: Readonly<Record<string, string | undefined>>) {
  const said = provider.slotsVariable === undefined ? undefined : env[provider.slotsVariable]
  return said !== undefined && /^[1-9]\d{0,3}$/.test(said) && HERE.test(origin) ? Number(said) : undefined
}
