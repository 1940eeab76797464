/**
 * A machine of the house that answers: so many requests at once (slots), a bounded queue before them, the models that it
 * has loaded. Pure: time is an argument, and whoever waits is called back when his turn has come.
 */
import { FairQueue, type Priority, type Waiter } from './fair-queue.ts'
import { type Loaded, ModelAt, plainName } from './model-at.ts'
import type { Slots } from './slots.ts'

export interface BackendRules {
  /** Requests that may wait. */
  most: number
  /** ms that one may wait. */
  waitMs: number
}

/** One request for a slot, at any of several machines. */
export interface Ticket extends Waiter {
  /** In the order in which they are preferred; not empty. */
  places: readonly Place[]
  /** A slot is his; he stands in no queue any more. */
  begin(lease: Lease): void
  /** He had to make room for somebody who has less in the queue. */
  pushOut(): void
}

export interface Place {
  backend: Backend
  /** In the machine's words. */
  model: string
}

/** Where nobody has been seen yet, ms. */
const USUAL_MS = 2_000
/** What a model takes to be loaded that was never seen to be. Five seconds were seen of small ones. */
const USUAL_LOAD_MS = 5_000
/** An answer that was under way for so much longer than the machine worked on it has waited there, ms. */
const NO_WAIT_MS = 50
/** Models that are remembered of a machine: patterns let callers name many. */
const MOST_MODELS = 500

/** A slot that is taken. */
export class Lease {
  readonly place: Place
  readonly key: string
  readonly priority: Priority
  readonly startedAt: number
  /** It was the so-manieth to run. */
  readonly level: number
  /** ms of its slot that were counted for it. */
  readonly counted: number
  readonly wasCold: boolean
  readonly isTry: boolean
  answeredAt: number | undefined
  isWhole = false
  ended = false

  constructor(place: Place, ticket: Waiter, now: number) {
    const { backend, model } = place
    this.place = place
    this.key = ticket.key
    this.priority = ticket.priority
    this.startedAt = now
    this.level = backend.running.size + 1
    this.counted = backend.costOf(model)
    this.wasCold = backend.isCold(model)
    this.isTry = backend.slots.begin(this.level)
  }
}

export class Backend {
  readonly running = new Set<Lease>()
  readonly queue: FairQueue<Ticket>
  readonly models = new Map<string, ModelAt>()
  /** What it has, as it says; undefined where it was not asked or did not tell. */
  installed: readonly string[] | undefined
  /** Whether it has said which models are loaded. */
  tellsLoaded = false
  health: { up: boolean | undefined; checkedAt: number; error: string | undefined } = {
    up: undefined,
    checkedAt: 0,
    error: undefined,
  }
  /** ms since the epoch, when a request last began. */
  usedAt = 0
  /** Requests of others than us, where it tells: running and waiting. */
  told: { running: number; waiting: number } | undefined

  constructor(
    readonly url: string,
    readonly slots: Slots,
    readonly rules: BackendRules,
  ) {
    this.queue = new FairQueue((ticket) => this.costOf(this.#placeOf(ticket).model))
  }

  /** A request would not have to wait. */
  isFree(now: number): boolean {
    return this.queue.size === 0 && this.slots.admits(this.running.size, now)
  }

  /** ms of a slot that one request to a model is likely to take, loading it included. */
  costOf(model: string): number {
    return (this.models.get(plainName(model))?.took.value ?? USUAL_MS) + this.loadMs(model)
  }

  /** Known not to be loaded. */
  isCold(model: string): boolean {
    return this.tellsLoaded && this.models.get(plainName(model))?.loaded === undefined
  }

  /** ms that loading takes; 0 where it is loaded, or nobody knows. */
  loadMs(model: string): number {
    if (!this.isCold(model)) return 0
    return this.models.get(plainName(model))?.load.value ?? USUAL_LOAD_MS
  }

  /** Part of it, or all, is not on a GPU. */
  isSpilled(model: string): boolean {
    const onGpu = this.models.get(plainName(model))?.onGpu
    return onGpu !== undefined && onGpu < 1
  }

  /**
   * ms that this request is likely to wait for a slot: what runs and what goes before it, over all slots. Without one,
   * somebody who comes last.
   */
  expectedWait(now: number, ticket?: Ticket): number {
    if (!ticket && this.isFree(now)) return 0
    if (this.slots.known === Number.POSITIVE_INFINITY) return 0
    let ms = ticket ? this.queue.before(ticket).ms : this.queue.work()
    for (const lease of this.running) ms += Math.max(lease.counted / 10, lease.counted - (now - lease.startedAt))
    return ms / Math.max(1, this.slots.known)
  }

  #begin(ticket: Ticket, now: number): Lease {
    const lease = new Lease(this.#placeOf(ticket), ticket, now)
    this.running.add(lease)
    this.usedAt = now
    this.queue.begin(lease.key, lease.priority, lease.counted)
    return lease
  }

  /**
   * Its first content came, or all of it at once.
   * @param workMs of the machine, where a whole answer says it: the rest is what it waited there
   */
  answered(lease: Lease, now: number, whole = false, workMs = 0): void {
    if (lease.ended || lease.answeredAt !== undefined) return
    lease.answeredAt = now
    const model = this.modelAt(lease.place.model)
    const first = now - lease.startedAt
    if (whole) {
      const waited = first - workMs > NO_WAIT_MS + workMs / 5
      if (workMs > 0 && !lease.wasCold) this.slots.answered(lease.level, waited ? 0 : lease.level - 1, lease.isTry, now)
      else this.slots.gone(lease.isTry)
      lease.isWhole = true
      this.#isLoaded(lease.place.model, model)
      return
    }
    let others = 0
    for (const other of this.running) if (other !== lease && other.answeredAt !== undefined && !other.isWhole) others++
    this.slots.answered(lease.level, others, lease.isTry, now)
    if (lease.wasCold) model.load.observe(Math.max(0, first - (model.first.value ?? 0)))
    else model.first.observe(first)
    this.#isLoaded(lease.place.model, model)
    // It may have shown that one more can run.
    this.dispatch(now)
  }

  /** What has answered is loaded, whatever was heard before. */
  #isLoaded(name: string, model: ModelAt): void {
    if (this.tellsLoaded) model.loaded ??= { model: name, size: 0, vram: 0, expiresAt: undefined }
  }

  /** The slot is free again; whoever is next has it at once. Twice does nothing. */
  end(lease: Lease, now: number): void {
    if (lease.ended) return
    lease.ended = true
    this.running.delete(lease)
    const took = now - lease.startedAt
    this.queue.spent(lease.key, lease.priority, took - lease.counted)
    if (lease.answeredAt === undefined) this.slots.gone(lease.isTry)
    else if (!lease.isWhole || !lease.wasCold) {
      const { took: mean, load } = this.modelAt(lease.place.model)
      mean.observe(Math.max(0, took - (lease.wasCold ? (load.value ?? 0) : 0)))
    }
    this.dispatch(now)
  }

  /** Gives free slots to those who wait. */
  dispatch(now: number): void {
    while (this.queue.size > 0 && this.slots.admits(this.running.size, now)) {
      const ticket = this.queue.next() as Ticket
      for (const { backend } of ticket.places) if (backend !== this) backend.queue.remove(ticket)
      ticket.begin(this.#begin(ticket, now))
    }
  }

  /** What it says it has loaded. */
  tellLoaded(all: readonly Loaded[]): void {
    this.tellsLoaded = true
    const names = new Set(all.map((one) => plainName(one.model)))
    for (const [name, model] of this.models) if (!names.has(name)) model.loaded = undefined
    for (const one of all) this.modelAt(one.model).loaded = one
  }

  modelAt(name: string): ModelAt {
    const plain = plainName(name)
    let model = this.models.get(plain)
    if (!model) {
      if (this.models.size >= MOST_MODELS)
        for (const [old, { loaded }] of this.models) if (!loaded) this.models.delete(old)
      model = new ModelAt()
      this.models.set(plain, model)
    }
    return model
  }

  #placeOf(ticket: Ticket): Place {
    return ticket.places.find((place) => place.backend === this) as Place
  }
}

/**
 * Asks for a slot at the first of the ticket's places that has one free; where none has, waits at all of them.
 * @returns `full` where no queue takes it
 */
export function enter(ticket: Ticket, now: number): 'begun' | 'waits' | 'full' {
  for (const { backend } of ticket.places)
    if (backend.isFree(now)) {
      backend.queue.add(ticket)
      backend.dispatch(now)
      return 'begun'
    }
  let waits = false
  for (const { backend } of ticket.places) {
    if (backend.queue.size >= backend.rules.most) {
      const last = backend.queue.lastOfMost(ticket)
      if (!last) continue
      leave(last)
      last.pushOut()
    }
    backend.queue.add(ticket)
    waits = true
  }
  // A try of one more may be due.
  if (waits) for (const { backend } of ticket.places) backend.dispatch(now)
  return waits ? 'waits' : 'full'
}

/** Leaves all queues. */
export function leave(ticket: Ticket): void {
  for (const { backend } of ticket.places) backend.queue.remove(ticket)
}
