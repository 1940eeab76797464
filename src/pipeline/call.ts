/** One object a request, with all its fields set at birth, so that it never changes its shape on the way. */

import type { LeftOut } from '../core/conditions.ts'
import type { Failure } from '../core/failure.ts'
import type { Checked, Taken } from '../core/limit.ts'
import type { Principal } from '../core/principal.ts'
import { NOBODY, type Payer } from '../core/scope.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Stage } from '../core/stage.ts'
import type { Target } from '../core/target.ts'
import type { Service } from '../core/usage.ts'
import type { Chat, Embed, Rerank } from '../dialects/canonical.ts'
import type { FormPart } from '../dialects/multipart.ts'
import type { Peek } from '../dialects/peek.ts'
import type { Verdict } from '../guardrails/verdict.ts'
import type { OpenHold } from '../store/ledger.ts'
import type { Answer } from './answer.ts'
import type { Recall } from './cache/recall.ts'
import type { Remembered } from './cache/replay.ts'
import type { Door } from './io.ts'
import { Leaving } from './leaving.ts'
import type { Queued } from './queue.ts'
import type { Resumed } from './resume.ts'
import type { Screening } from './screening.ts'
import { NO_WISHES, type Wishes } from './wishes.ts'

const NO_VERDICTS: readonly Verdict[] = []
const NOTHING = new Uint8Array(0)
const NO_PEEK: Peek = {
  model: '',
  stream: false,
  includeUsage: false,
  n: 1,
  scan: { keys: new Map(), duplicates: [], open: 0 },
}

export class Call {
  /** Number of the operation; also its name outside, as `req_…`. */
  readonly operation: number
  readonly id: string
  readonly startedAt: number
  readonly request: Request
  readonly door: Door
  readonly snapshot: Snapshot
  /** What may end it early. */
  leaving: Leaving
  bytes: Uint8Array = NOTHING
  /** The body as it came. */
  received: Uint8Array = NOTHING
  peek: Peek = NO_PEEK
  /** The fields of a body that is a form. */
  form: readonly FormPart[] | undefined = undefined
  who: Principal | undefined = undefined
  /** The caller's address. */
  ip: string | undefined = undefined
  wishes: Wishes = NO_WISHES
  stages: readonly Stage[] = []
  /** Targets that may not or cannot take this request. */
  leftOut: readonly LeftOut[] = []
  payer: Payer = NOBODY
  /** The limits that it has to keep. */
  limits: readonly Checked[] = []
  taken: Taken | undefined = undefined
  /** The body in canonical form, where a target needed it. */
  canonical: Chat | Embed | Rerank | undefined = undefined
  attempts = 0
  failures: { target: Target; failure: Failure }[] = []
  /** Targets of an earlier stage that were cooling down when a later one was asked, each with its reason. */
  skipped: string[] = []
  /** Kinds of failure for which other aliases were taken up. */
  readonly turned = new Set<string>()
  /** Queues that it left without an answer. */
  leftQueues: string[] = []
  /** Its waiting for a slot, where it waited. */
  queued: Queued | undefined = undefined
  /** Who pays where it had to leave the house. */
  overflow: Payer | undefined = undefined
  /** Parameters that the target could not be told. */
  dropped: string[] = []
  answer: Answer | undefined = undefined
  /** It goes on with an answer that broke off. */
  resumed: Resumed | undefined = undefined
  /** How attempts are served, where the headers of their answers say so. */
  readonly services = new WeakMap<OpenHold, Service>()
  /** Who was slow, and who was asked, too. */
  hedged: string | undefined = undefined
  concluded = false
  /** How its answer came to its end: `ok`, `aborted`, the kind of a failure. */
  ending: string | undefined = undefined
  /** What it was charged, nano-dollars; 0 until that is known. */
  cost = 0
  /** What beside the request decides its answer: the guards that look at it, with their versions. */
  guardMark = ''
  /** Where its answer is to be kept. */
  recall: Recall | undefined = undefined
  /** How it came by an answer for which nobody was asked, and what that had cost, nano-dollars. */
  remembered: { how: Remembered; saved: number } | undefined = undefined
  /** Guardrails that look at it, where some do. */
  screening: Screening | undefined = undefined
  /** Its canonical form is no longer what its bytes say: that goes out. */
  isRewritten = false
  /** It must not leave the house, by what it holds. */
  keepsHome = false

  constructor(operation: number, now: number, request: Request, door: Door, snapshot: Snapshot) {
    this.operation = operation
    this.id = `req_${operation.toString(36)}`
    this.startedAt = now
    this.request = request
    this.door = door
    this.snapshot = snapshot
    this.leaving = new Leaving(request)
  }

  /** What every guardrail that looks at it has said so far. */
  get verdicts(): readonly Verdict[] {
    return this.screening?.verdicts ?? NO_VERDICTS
  }

  get keyId(): string | undefined {
    return this.who?.key?.id
  }
}
