/**
 * Looks after a machine of the house: is it there, how many slots has it, what has it loaded. Often while it has
 * something to do, seldom while it rests, and less often the longer it is gone.
 */
import type { Backend } from '../core/backend.ts'
import { serverOf } from '../core/server-of.ts'
import type { Link } from './link.ts'
import type { Told } from './provider.ts'

/** ms between two looks: at one that works, that rests, and that is gone at first and at last. */
const BUSY_MS = 5_000
const IDLE_MS = 30_000
const GONE_MS = 2_000
const LONGEST_GONE_MS = 15_000
/** It rests when nothing was asked of it for this long. */
const RESTS_MS = 60_000
const TIMEOUT_MS = 3_000
/** So that a server's own log can tell looks from requests. */
const AGENT = 'tollgate-watch'
const LARGEST = 4 * 1024 * 1024

export interface WatcherHooks {
  now(): number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  /** It was looked at. */
  seen(backend: Backend): void
}

export class Watcher {
  readonly #backend: Backend
  readonly #link: Link
  readonly #hooks: WatcherHooks
  readonly #stop = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #since: number
  #failed = 0
  /** Models that do not lie on the GPU as a whole, and were told of. */
  readonly #spilled = new Set<string>()

  constructor(backend: Backend, link: Link, hooks: WatcherHooks) {
    this.#backend = backend
    this.#link = link
    this.#hooks = hooks
    this.#since = hooks.now()
    if (link.provider.watch) this.#wait(0)
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const fault = await this.#ask()
    if (this.#stop.signal.aborted) return
    const now = this.#hooks.now()
    this.#note(fault, now)
    this.#backend.dispatch(now)
    this.#hooks.seen(this.#backend)
    if (fault !== undefined) this.#wait(Math.min(GONE_MS * 2 ** Math.min(this.#failed - 1, 8), LONGEST_GONE_MS))
    else this.#wait(now - Math.max(this.#backend.usedAt, this.#since) < RESTS_MS ? BUSY_MS : IDLE_MS)
  }

  /** Takes in what it tells. Returns what is wrong with it; what it does not tell is nothing wrong. */
  async #ask(): Promise<string | undefined> {
    const { health, looks } = this.#link.provider.watch ?? { looks: [] }
    let fault: string | undefined
    if (health !== undefined) {
      const { status, error } = await this.#get(health)
      if (error !== undefined) return error
      if (status >= 500) return `its health is ${status}`
    }
    for (const { path, plain, read } of looks) {
      const { status, body, error } = await this.#get(path)
      if (error !== undefined) fault ??= error
      if (status !== 200 || body === undefined) continue
      try {
        this.#take(read(plain ? body : JSON.parse(body)))
      } catch {
        // Not the server that we took it for: it is there, and tells nothing.
      }
    }
    return fault
  }

  async #get(path: string): Promise<{ status: number; body?: string; error?: string }> {
    const url = serverOf(this.#link.origin) + path
    try {
      const headers = { ...(await this.#link.authorized({ method: 'GET', url, body: '' })), 'user-agent': AGENT }
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)])
      const response = await this.#link.fetch(url, { headers, signal })
      if (Number(response.headers.get('content-length') ?? 0) > LARGEST) {
        await response.body?.cancel()
        return { status: response.status }
      }
      const body = await response.text()
      return body.length > LARGEST ? { status: response.status } : { status: response.status, body }
    } catch (cause) {
      const { code, name } = cause as { code?: string; name?: string }
      return { status: 0, error: `it does not answer (${code ?? name ?? 'unknown'})` }
    }
  }

  #take({ slots, running, waiting, loaded, installed }: Told): void {
    const backend = this.#backend
    if (slots !== undefined) backend.slots.tell(slots)
    if (running !== undefined) {
      backend.told = { running, waiting: waiting ?? 0 }
      if (waiting !== undefined && waiting > 0) backend.slots.full(running)
    }
    if (installed) backend.installed = installed
    if (!loaded) return
    backend.tellLoaded(loaded)
    for (const { model, size, vram } of loaded) {
      if (vram >= size) this.#spilled.delete(model)
      else if (!this.#spilled.has(model)) {
        this.#spilled.add(model)
        const cpu_share = Math.round((1 - vram / size) * 100) / 100
        this.#hooks.warn('A model does not fit on the GPU: it answers slowly, and is asked after others.', {
          ...{ backend: backend.url, model, cpu_share },
        })
      }
    }
    for (const model of this.#spilled) if (!loaded.some((one) => one.model === model)) this.#spilled.delete(model)
  }

  #note(fault: string | undefined, now: number): void {
    const { health, url } = this.#backend
    const was = health.up
    this.#failed = fault === undefined ? 0 : this.#failed + 1
    health.checkedAt = now
    if (fault !== undefined) health.error = fault
    // Once may be chance.
    health.up = fault === undefined ? true : this.#failed > 1 || was === undefined ? false : was
    if (health.up === false && was !== false) this.#hooks.warn('A backend is down.', { backend: url, told: fault })
    if (health.up && was === false) this.#hooks.info('A backend is up again.', { backend: url })
  }
}
