/** Everything the pipeline touches that is not an argument: made once in app.ts, replaced by fakes in tests. */

import type { ModelList, Renames } from '../core/access.ts'
import type { Backend } from '../core/backend.ts'
import type { Budget } from '../core/budget.ts'
import type { CacheRules } from '../core/cache-rules.ts'
import type { Errand } from '../core/errand.ts'
import type { Grant } from '../core/grant.ts'
import type { Key } from '../core/key.ts'
import type { Account } from '../core/ledger.ts'
import type { Counters } from '../core/limit.ts'
import type { Limits } from '../core/limits.ts'
import type { View } from '../core/pick.ts'
import type { Principal } from '../core/principal.ts'
import type { Refusal } from '../core/refusal.ts'
import type { Payer } from '../core/scope.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { TargetState } from '../core/state.ts'
import type { Target } from '../core/target.ts'
import type { Dialect, TargetDialect } from '../dialects/dialect.ts'
import type { PathSaid } from '../dialects/peek.ts'
import type { Guards } from '../guardrails/guards.ts'
import type { Said } from '../guardrails/policy.ts'
import type { HoldRequest, OpenHold, Outcome } from '../store/ledger.ts'
import type { Link } from '../upstream/link.ts'
import type { Flight } from './cache/flight.ts'
import type { AnswerShelf } from './cache/kept.ts'
import type { Remembered } from './cache/replay.ts'
import type { MeaningsDoor } from './cache/semantic.ts'
import type { Call } from './call.ts'
import type { ContentDoor } from './content.ts'
import type { Counted, CountJob } from './counting/job.ts'
import type { Deadlines } from './deadlines.ts'

/** A route of the data plane. */
export interface Door {
  dialect: Dialect
  /** LiteLLM's `call_type` in the ledger. */
  call: string
  /** Its answers may be referred to later by their ids (Responses). */
  keeps?: boolean
  /** What the path says, for dialects that name model and stream there. */
  said?: PathSaid
  /** It is the gateway that asks: why. */
  own?: string
  /** Only its tokens are counted, and told in this shape. */
  counts?: (tokens: number) => Record<string, unknown>
  /** It is no request to one model and has a way of its own. */
  other?: (io: Io, request: Request, door: Door) => Promise<Response>
  /** A stream in another framing than the dialect's own (Gemini's JSON array). One for each stream. */
  reshape?: () => Reshape
}

/** Turns the bytes of a stream into another framing. */
export interface Reshape {
  contentType: string
  /** What is to be sent for these bytes, '' for nothing yet. */
  push(bytes: Uint8Array): string
  end(): string
}

/** Responses that are kept for their callers. */
export interface ResponsesDoor {
  /** Whether any are kept at all. */
  keeps: boolean
  get(owner: string, id: string): { response: Record<string, unknown>; input: unknown[] } | undefined
  put(owner: string, id: string, kept: { response: Record<string, unknown>; input: unknown[] }): void
}

/** Something that a caller made at a provider. */
export interface Belonging {
  owner: string
  kind: 'file' | 'batch'
  id: string
  target: string
  alias: string | undefined
  facts: Record<string, unknown>
  createdAt: number
}

/** What callers made at providers, each for its owner only. */
export interface BelongingsDoor {
  put(thing: Belonging): void
  get(owner: string, kind: Belonging['kind'], id: string): Belonging | undefined
  /** Newest first unless `oldest`, those behind `after`. @param limit one more is given where there are more */
  list(owner: string, kind: Belonging['kind'], page: BelongingsPage): Belonging[]
  delete(owner: string, kind: Belonging['kind'], id: string): void
  /** Whether this is the first time. */
  settle(owner: string, id: string): boolean
  isSettled(owner: string, id: string): boolean
}

export interface BelongingsPage {
  after: string | undefined
  limit: number
  oldest: boolean
  purpose: string | undefined
}

export interface LedgerDoor {
  nextOperation(): number
  /** @param budgets the same array until they change */
  accounts(scope: string, budgets: readonly Budget[]): readonly Account[]
  hold(request: HoldRequest): Promise<OpenHold>
  /**
   * Takes money for more tokens of an answer than its hold covers: `wanted`, or as many as there is money for, but
   * `least`. Returns what the caller is told where there is none.
   */
  extend(open: OpenHold, least: number, wanted: number, status: number): Refusal | undefined
  settle(open: OpenHold, outcome: Outcome): number
  /** What an attempt costs is somebody else's from here on; its own accounts have their money back. @throws Refusal */
  handOver(open: OpenHold, payer: Payer, accounts: () => readonly Account[]): void
  /** Lets a hold go whose attempt was never sent. */
  release(open: OpenHold): void
}

/** Who pays, and what they may spend. */
export interface PayersDoor {
  /** Who pays for the requests of a key (undefined: of the master key): the same object until its belongings change. */
  of(key: Key | undefined): Payer
  /** The budgets of a scope: the same array until they change; a key has at least one, which may be without a limit. */
  budgets(scope: string): readonly Budget[]
  /** @throws Refusal where one who pays is blocked */
  check(payer: Payer): void
  /** The lists of models of a key and of all that it belongs to; those that restrict nothing are left out. */
  lists(payer: Payer, key: Key): readonly ModelList[]
  /** The names that a key, and its team, have for models; narrowest first. */
  renames(payer: Payer, key: Key): readonly Renames[]
  /** What a key, its team and its project say of guardrails: the same object until they change. */
  guardrails(key: Key | undefined): Said
  /** What its scopes may do in a minute, narrowest first; those without a limit are left out. */
  limits(payer: Payer): readonly Limited[]
}

/** A scope with limits. */
export interface Limited {
  scope: string
  limits: Limits
}

/** Leave to use models that ask for it. */
export interface GrantsDoor {
  /** A key's newest for each alias or pattern: another map when one of them changes. */
  of(keyId: string): ReadonlyMap<string, Grant>
}

/** Calls that are under way. */
export interface LiveDoor {
  /** @param call of somebody who is known; it leaves when it is concluded */
  enter(call: Call): void
  leave(call: Call): void
}

/** What is known of a request at its end, for whoever watches: the log, the audit, the access log. No content but by its bytes. */
export interface RequestLog {
  requestId: string
  /** ms since the epoch. */
  startedAt: number
  /** Undefined: nobody knows who it was, or the gateway asked itself. */
  who: Principal | undefined
  payer: Payer
  ip: string | undefined
  /** LiteLLM's `call_type`. */
  call: string
  /** The gateway asked itself: why. */
  own: string | undefined
  /** The body as it came: to be hashed and measured, never to be shown. */
  prompt: Uint8Array
  /** The attempts in their order: target's id, and what came of it. */
  tried: readonly (readonly [target: string, outcome: string])[]
  /** What guards said of it: `pii=redacted; mode=pre_call`. */
  guardrails?: readonly string[] | undefined
  keyId: string | undefined
  alias: string | undefined
  target: string | undefined
  status: number
  outcome: string
  stream: boolean
  totalMs: number
  upstreamMs: number | undefined
  attempts: number
  inputTokens: number
  outputTokens: number
  costNano: number
  /** How it was answered without asking anybody, and what that had cost whoever was first. */
  cache: Remembered | undefined
  savedNano: number
  error: string | undefined
}

/** Answers that were given before, and those on their way. */
export interface CacheDoor {
  /** Undefined: none are kept but for a key of idempotency. */
  rules: CacheRules | undefined
  /** ms that an answer is kept for repeats of its request; 0: none is. */
  keepRepeatsMs: number
  /** Bytes: a longer answer is not kept. */
  largest: number
  answers: AnswerShelf
  repeats: AnswerShelf
  flights: Map<string, Flight>
  meanings: MeaningsDoor
  /** Of the parts one behind the other, under a key of this gateway's: nobody can tell from it what was asked. */
  digest(text: string, bytes?: Uint8Array): string
  /** Counts an answer that nobody had to be paid for. @param cost of the first one, nano-dollars */
  saved(payer: Payer, alias: string, cost: number, now: number): void
}

/** The machines of the house. */
export interface BackendsDoor {
  /** The one that a target is on; undefined for clouds, and for what has no queue. */
  of(target: Target): Backend | undefined
  /** Brings what choosing looks at of these targets up to date. */
  refresh(targets: readonly Target[], now: number): void
  /** Somebody has to wait for it. */
  noteSaturated(backend: Backend): void
}

export interface Io {
  /** ms since the epoch, rising. */
  now(): number
  /** [0, 1) */
  random(): number
  snapshot(): Snapshot
  link(target: Target): Link
  backends: BackendsDoor
  ledger: LedgerDoor
  payers: PayersDoor
  grants: GrantsDoor
  guards: Guards
  counters(scope: string): Counters
  /** Requests of a scope on a day (core/zone.ts), as the ledger knows them; 0 for scopes that it has none of. */
  requestsOn(scope: string, day: number): number
  /** The caller's address; undefined where it is not known. */
  ipOf(request: Request): string | undefined
  state(target: Target): TargetState
  /** What choosing looks at. */
  view: View
  /** Who it is, at once for whoever has a key. @throws Refusal 401, 403, 429, 503 */
  admit(request: Request, headers: Headers, errand: Errand): Principal | Promise<Principal>
  /** The same somebody as he is now. @throws Refusal 401 where he may no longer be here */
  still(who: Principal): Principal
  live: LiveDoor
  deadlines: Deadlines
  responses: ResponsesDoor
  cache: CacheDoor
  belongings: BelongingsDoor
  /** @param signal ends it @returns as soon as there are headers */
  send(
    link: Link,
    dialect: TargetDialect,
    body: Uint8Array | string,
    stream: boolean,
    signal: AbortSignal,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>
  /** Whether a target goes on with an answer whose beginning it is given. Never rejects. */
  goesOn(link: Link): Promise<boolean>
  /** Whether the target's host accepts a connection within `ms`. */
  knock(link: Link, ms: number): Promise<boolean>
  /** Tokens of what nobody reported; undefined where they can't be counted, or not in time. Never rejects. */
  count(job: CountJob): Promise<Counted | undefined>
  /** An image that a caller names by URL, through the guarded way out. @throws Refusal invalid_request */
  fetchImage(url: string, signal: AbortSignal): Promise<{ mediaType: string; data: string }>
  content: ContentDoor
  log(line: RequestLog): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  settings: {
    /** Bytes. */
    bodyLimit: number
    /** ms until a request has to have come in whole. */
    bodyTimeoutMs: number
    /** ms between two signs of life in a silent stream; 0 = none. */
    heartbeatMs: number
  }
}
