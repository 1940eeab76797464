/**
 * Whoever asks has a count, or the word that there is none, within two seconds. One job at a time, a bounded line before
 * it; a worker that is stuck is ended, and the next job has a new one.
 */
import type { Counted, CountJob } from './job.ts'

/** ms from asking to the answer; the first time it loads its vocabulary (0.3 s). */
const PATIENCE_MS = 2_000
/** More than these wait: those that come are estimated. */
const MOST_WAITING = 256
const MOST_BYTES = 32 * 1024 * 1024
/** ms without work, after which the worker and its 60 MB are let go. */
const IDLE_MS = 300_000

interface Waiting {
  id: number
  job: CountJob
  bytes: number
  timer: ReturnType<typeof setTimeout>
  resolve(counted: Counted | undefined): void
}

const bytesOf = ({ request, answer }: CountJob): number =>
  (request?.body.byteLength ?? 0) + (answer?.body.byteLength ?? 0)

export class TokenCounter {
  #worker: Worker | undefined
  #line: Waiting[] = []
  /** Sent to the worker, and not answered yet. */
  #current: Waiting | undefined
  #bytes = 0
  #serial = 0
  #idle: ReturnType<typeof setTimeout> | undefined
  #stopped = false
  readonly #start: () => Worker

  /** @param start makes a worker; for tests */
  constructor(start: () => Worker = startWorker) {
    this.#start = start
  }

  /** Undefined where it can't be counted, or not in time. Never rejects. */
  count(job: CountJob): Promise<Counted | undefined> {
    const bytes = bytesOf(job)
    if (this.#stopped || this.#line.length >= MOST_WAITING || this.#bytes + bytes > MOST_BYTES)
      return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const id = ++this.#serial
      const waiting: Waiting = { id, job, bytes, resolve, timer: setTimeout(() => this.#late(waiting), PATIENCE_MS) }
      this.#bytes += bytes
      this.#line.push(waiting)
      this.#next()
    })
  }

  /** How many are counted or wait for it. */
  get waiting(): number {
    return this.#line.length + (this.#current ? 1 : 0)
  }

  /** Gives everybody who waits an answer, and ends the worker. */
  async stop(): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    while (this.waiting > 0 && performance.now() < end) await Bun.sleep(5)
    this.#stopped = true
    for (const waiting of [...(this.#current ? [this.#current] : []), ...this.#line.splice(0)])
      this.#done(waiting, undefined)
    this.#drop()
  }

  #next(): void {
    if (this.#current) return
    const waiting = this.#line.shift()
    clearTimeout(this.#idle)
    if (!waiting) {
      this.#idle = setTimeout(() => this.#drop(), IDLE_MS)
      this.#idle.unref()
      return
    }
    this.#current = waiting
    try {
      this.#worker ??= this.#begin()
      this.#worker.postMessage({ id: waiting.id, job: waiting.job })
    } catch {
      this.#drop()
      this.#done(waiting, undefined)
    }
  }

  #begin(): Worker {
    const worker = this.#start()
    worker.onmessage = ({ data }: MessageEvent<{ id: number; counted?: Counted }>) => {
      const { id, counted } = data
      if (this.#current?.id === id) this.#done(this.#current, counted)
    }
    worker.onerror = () => {
      if (this.#worker !== worker) return
      this.#drop()
      if (this.#current) this.#done(this.#current, undefined)
    }
    worker.unref()
    return worker
  }

  /** It waited too long. Where it is the one that is counted the worker is stuck. */
  #late(waiting: Waiting): void {
    if (this.#current === waiting) this.#drop()
    this.#done(waiting, undefined)
  }

  #done(waiting: Waiting, counted: Counted | undefined): void {
    clearTimeout(waiting.timer)
    this.#bytes -= waiting.bytes
    if (this.#current === waiting) this.#current = undefined
    else this.#line = this.#line.filter((one) => one !== waiting)
    waiting.resolve(counted)
    if (!this.#stopped) this.#next()
  }

  #drop(): void {
    clearTimeout(this.#idle)
    this.#worker?.terminate()
    this.#worker = undefined
  }
}

const startWorker = (): Worker => new Worker(new URL('./worker.ts', import.meta.url).href)
