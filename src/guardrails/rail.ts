/** A guardrail that stands: its terms and its guard, with what both need to run. */
import { hash } from 'node:crypto'
import type { Shelf } from '../cache/shelf.ts'
import { type Finding, type Guard, GuardError, type Look, type Piece, type Subject } from './guard.ts'
import { isLong, lookInSlices } from './slices.ts'
import type { GuardTerms } from './terms.ts'

/** Looks of one guard that are under way at once; others wait, within their timeout. */
const MOST_AT_ONCE = 64
/** More that wait are told at once that there is no verdict. */
const MOST_WAITING = 1_024

export interface Rail {
  terms: GuardTerms
  guard: Guard
  slots: Slots
}

export const railOf = (terms: GuardTerms, guard: Guard): Rail => ({ terms, guard, slots: new Slots() })

/** A bounded number at once. */
class Slots {
  #free = MOST_AT_ONCE
  readonly #waiting: (() => void)[] = []

  /** @throws GuardError where too many wait @returns undefined where there is one at once */
  take(signal: AbortSignal): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    if (this.#waiting.length >= MOST_WAITING)
      throw new GuardError('unreachable', `${MOST_WAITING} looks are waiting for this guard.`, false)
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', left)
        resolve()
      }
      const left = () => {
        const at = this.#waiting.indexOf(turn)
        if (at >= 0) this.#waiting.splice(at, 1)
        reject(new GuardError('timeout', 'Its turn did not come in time.', false))
      }
      this.#waiting.push(turn)
      signal.addEventListener('abort', left, { once: true })
    })
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

/** What a look needs beside its subject. */
export interface LookTools {
  shelf: ((where: NonNullable<GuardTerms['cache']>['in']) => Shelf) | undefined
  /** [0, 1) */
  random(): number
  /** ms, rising. */
  now(): number
}

export interface Looked {
  rail: Rail
  /** Undefined: it did not run, or there is an error. Findings count the subject's own pieces. */
  look: Look | undefined
  error: GuardError | undefined
  ms: number
  cached: boolean
}

/** Which of a subject's pieces a guardrail sees, by their index. */
function seen({ terms, guard }: Rail, pieces: readonly Piece[]): number[] {
  const found: number[] = []
  for (const [i, { kind, role }] of pieces.entries()) {
    if (!guard.kinds.has(kind)) continue
    if (terms.pieces && !terms.pieces.includes(kind)) continue
    if (terms.roles && !terms.roles.includes(role)) continue
    found.push(i)
  }
  return found
}

/** @param tenant whose call it is: verdicts are not shared between tenants @param signal the caller's leaving */
export function lookWith(
  rail: Rail,
  subject: Subject,
  tenant: string,
  signal: AbortSignal,
  tools: LookTools,
): Looked | Promise<Looked> {
  const startedAt = tools.now()
  const over = (look: Look | undefined, error?: GuardError, cached = false): Looked => ({
    ...{ rail, look, error, cached },
    ms: tools.now() - startedAt,
  })
  const mine = seen(rail, subject.pieces)
  if (mine.length === 0) return over(undefined)
  const shown =
    mine.length === subject.pieces.length
      ? subject
      : { ...subject, pieces: mine.map((i) => subject.pieces[i] as Piece) }
  const placed = (look: Look): Look =>
    shown === subject || look.findings.length === 0
      ? look
      : { ...look, findings: look.findings.map((f) => ({ ...f, piece: mine[f.piece] as number })) }
  const { cache } = rail.terms
  const shelf = cache && tools.shelf?.(cache.in)
  // A long text is looked at in slices, between which others have their turn.
  if (rail.guard.local && !shelf && !isLong(rail.guard, shown.pieces)) {
    try {
      return over(placed(rail.guard.look(shown, signal) as Look))
    } catch (cause) {
      return over(undefined, asGuardError(cause))
    }
  }
  return later()

  async function later(): Promise<Looked> {
    const key = shelf && keyOf(rail, shown, tenant)
    const known = key === undefined ? undefined : await kept(shelf as Shelf, key)
    if (known) return over(placed(known), undefined, true)
    try {
      const look = await tries(rail, shown, signal, tools)
      if (key !== undefined && cache) await keep(shelf as Shelf, key, look, cache.ttlMs)
      return over(placed(look))
    } catch (cause) {
      return over(undefined, asGuardError(cause))
    }
  }
}

function asGuardError(cause: unknown): GuardError {
  return cause instanceof GuardError ? cause : new GuardError('bad_reply', String(cause), false)
}

/** Between two tries, ms; doubled for each further one. */
const FIRST_PAUSE_MS = 100

async function tries(rail: Rail, subject: Subject, signal: AbortSignal, tools: LookTools): Promise<Look> {
  for (let n = 0; ; n++) {
    try {
      return await within(rail, subject, signal)
    } catch (cause) {
      const error = asGuardError(cause)
      if (!error.retryable || rail.guard.local || n >= rail.terms.retries || signal.aborted) throw error
      await pause(FIRST_PAUSE_MS * 2 ** n * (0.5 + tools.random() / 2), signal)
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

/** One try, within its timeout, whether or not the guard keeps to its signal. */
async function within({ terms, guard, slots }: Rail, subject: Subject, signal: AbortSignal): Promise<Look> {
  const abort = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  const end = (error: GuardError) => {
    reject(error)
    abort.abort()
  }
  const leave = () => end(new GuardError('timeout', 'The caller left.', false))
  const timer = setTimeout(
    () => end(new GuardError('timeout', `No verdict within ${terms.timeoutMs} ms.`, true)),
    terms.timeoutMs,
  )
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  let taken = false
  try {
    const turn = slots.take(abort.signal)
    if (turn) await turn
    taken = true
    const look = isLong(guard, subject.pieces)
      ? lookInSlices(guard, subject, abort.signal)
      : guard.look(subject, abort.signal)
    return await Promise.race([look, promise])
  } finally {
    promise.catch(() => {})
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
    if (taken) slots.give()
  }
}

/** SHA-256: what a caller can't make two texts of (Bun.hash is none against somebody who means harm). */
function keyOf({ terms, guard }: Rail, { direction, pieces, model, whole }: Subject, tenant: string): string {
  let text = `${guard.version}\n${direction}\n${model}\n${whole}`
  // Each with its length in front: no two lists of texts look the same.
  for (const piece of pieces)
    text += `\n${piece.kind} ${piece.role} ${piece.choice} ${piece.text.length}\n${piece.text}`
  return `${tenant}/guard/${terms.name}/${hash('sha256', text, 'base64url')}`
}

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]

/** A place that can't be reached keeps nothing: the guard is asked. */
async function kept(shelf: Shelf, key: string): Promise<Look | undefined> {
  try {
    const got = shelf.get(key)
    const bytes = got instanceof Promise ? await got : got
    return bytes && read(decoder.decode(bytes))
  } catch {
    return undefined
  }
}

/** A look without findings is most of them: it needs no JSON. */
const CLEAN = '-'

function read(text: string): Look {
  return text === CLEAN ? { flagged: false, categories: [], findings: [] } : (JSON.parse(text) as Look)
}

async function keep(shelf: Shelf, key: string, look: Look, ttlMs: number): Promise<void> {
  const { flagged, categories, confidence, findings } = look
  const isClean = !flagged && categories.length === 0 && confidence === undefined && findings.length === 0
  try {
    await shelf.set(key, encoder.encode(isClean ? CLEAN : JSON.stringify(look)), ttlMs)
  } catch {
    // Not kept, then.
  }
}

/** Findings of one piece. */
export const findingsIn = ({ findings }: Look, piece: number): Finding[] => findings.filter((f) => f.piece === piece)
