/**
 * The audit as it is written: entries wait in memory for at most some ms and go to the database many at a time, in the
 * order of their chains. On the way of a request it costs a push onto a list. Whatever could not be written is counted, and
 * the chain itself says so.
 */
import { randomBytes } from 'node:crypto'
import { type ChainRow, type Checkpoint, NOTHING_BEFORE } from '../core/audit-chain.ts'
import { CHAINS, type ChainName, chainName, type GapEntry, type RunEntry } from '../core/audit-entry.ts'
import type { AuditKeys, Signer } from './keys.ts'
import type { AuditShelf, Details } from './shelf.ts'

/** Company is waited for so long, ms: what a crash takes with it. */
const LINGER_MS = 50
const RETRY_MS = 1_000
/** As many entries may wait while nothing can be written. */
export const MOST_WAITING = 10_000

/** People whose numbers are remembered. */
const REMEMBERED = 10_000

/** An entry that waits; its text is made when it is written. */
export interface Waiting {
  chain: number
  /** ms since the epoch. */
  at: number
  body(): string
  /** What stands beside it, and may be taken out again. */
  details?: { nonce: Uint8Array; text: string } | undefined
}

export interface AuditRules {
  /** Beside the checkpoint at the end. */
  checkpointEntries: number
  checkpointMs: number
  version: string
}

export interface AuditHooks {
  now(): number
  /** A checkpoint was signed: it may be taken elsewhere. */
  anchored(checkpoint: Checkpoint): void
  /** What was written, in its order. */
  wrote(rows: readonly ChainRow[]): void
  /** Something is missing that was to be here, or will be. */
  missing(told: string): unknown
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  error(message: string, facts: Readonly<Record<string, unknown>>): void
}

interface Chain {
  seq: number
  mac: Uint8Array
  /** Of the newest entry. */
  at: number
  /** Of the newest checkpoint. */
  signed: number
  lost: { count: number; from: number; to: number } | undefined
}

export class AuditLog {
  readonly keys: AuditKeys
  readonly #shelf: AuditShelf
  readonly #signer: Signer
  readonly #rules: AuditRules
  readonly #hooks: AuditHooks
  readonly #chains: ReadonlyMap<number, Chain>
  #waiting: Waiting[] = []
  /** People's numbers. */
  readonly #people = new Map<string, string>()
  /** That are not in the database yet. */
  #newSalts: [string, Uint8Array][] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #signing: ReturnType<typeof setInterval> | undefined
  #stuck = false

  constructor(shelf: AuditShelf, keys: AuditKeys, signer: Signer, rules: AuditRules, hooks: AuditHooks) {
    this.keys = keys
    this.#shelf = shelf
    this.#signer = signer
    this.#rules = rules
    this.#hooks = hooks
    this.#chains = new Map(Object.values(CHAINS).map((chain) => [chain, this.#open(chain)]))
  }

  get publicKey(): string {
    return this.#signer.publicKey
  }

  /** Where a chain goes on: behind its last entry, or behind what was signed, if that is further. */
  #open(chain: number): Chain {
    const last = this.#shelf.last(chain)
    const signed = this.#shelf.checkpoint(chain)
    if (signed && signed.seq > (last?.seq ?? 0) && signed.kind === 'checkpoint') {
      this.#hooks.missing(
        `The end of the audit is gone: ${signed.seq} entries of ${chainName(chain)} were signed, and the last one is ${last?.seq ?? 0}.`,
      )
      this.#hooks.error(
        'The end of the audit is gone: entries were signed that are not there any more. See `tollgate audit verify`.',
        { chain: chainName(chain), signed: signed.seq, last: last?.seq ?? 0 },
      )
    }
    const newest = signed && signed.seq > (last?.seq ?? 0) ? signed : last
    const { seq = 0, mac = NOTHING_BEFORE, at = 0 } = newest ?? {}
    return { seq, mac, at, signed: signed?.seq ?? 0, lost: undefined }
  }

  /** Begins: says in both chains that a run has begun, and whether the one before came to its end. */
  start(): void {
    const now = this.#hooks.now()
    for (const chain of this.#chains.keys()) {
      const last = this.#shelf.last(chain)
      const unclean = last !== undefined && !isStop(last.body)
      const isNewKey = this.#signer.isNew && (last !== undefined || this.#shelf.checkpoint(chain) !== undefined)
      if (isNewKey)
        this.#hooks.error(
          'The key that signs the audit is gone, and another one was made. See `tollgate audit verify`.',
          {
            chain: chainName(chain),
          },
        )
      this.#say(chain, {
        ...{ kind: 'start', time: iso(now), version: this.#rules.version },
        ...{ signed_each: this.#rules.checkpointEntries, ...(unclean ? { unclean } : {}) },
        ...(isNewKey ? { new_key: true } : {}),
      })
    }
    this.flush()
    this.#signing = setInterval(() => this.checkpoint(), this.#rules.checkpointMs)
    this.#signing.unref()
  }

  #say(chain: number, entry: RunEntry | GapEntry): void {
    this.#waiting.push({ chain, at: this.#hooks.now(), body: () => JSON.stringify(entry) })
  }

  /** Whether nothing more can be taken. */
  get isFull(): boolean {
    return this.#waiting.length >= MOST_WAITING
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes an entry; it is written within some ms. */
  add(entry: Waiting): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#lose(entry)
      return
    }
    this.#waiting.push(entry)
    this.#flushIn(LINGER_MS)
  }

  #lose({ chain, at }: Waiting): void {
    const state = this.#chains.get(chain) as Chain
    if (state.lost) {
      state.lost.count++
      state.lost.to = at
      return
    }
    state.lost = { count: 1, from: at, to: at }
    this.#hooks.missing(`The audit of ${chainName(chain)} takes no more entries: the database cannot be written.`)
    this.#hooks.error('The audit takes no more entries: the database cannot be written. What is missing is counted.', {
      chain: chainName(chain),
      waiting: this.#waiting.length,
    })
  }

  #flushIn(ms: number): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, ms)
  }

  /** A person's number in the entries: the same one until he is forgotten. */
  person(kind: 'user' | 'customer', id: string): string {
    const name = `${kind}:${id}`
    let number = this.#people.get(name)
    if (number !== undefined) return number
    let salt = this.#shelf.salt(name)
    if (salt === undefined) {
      salt = randomBytes(16)
      this.#newSalts.push([name, salt])
    }
    number = this.keys.person(name, salt)
    // Those whose salts are not written yet stay until they are.
    if (this.#people.size >= REMEMBERED && this.#newSalts.length === 0) this.#people.clear()
    this.#people.set(name, number)
    return number
  }

  /** The number of somebody who has one. */
  known(kind: 'user' | 'customer', id: string): string | undefined {
    const salt = this.#shelf.salt(`${kind}:${id}`)
    return salt && this.keys.person(`${kind}:${id}`, salt)
  }

  /** From now on he has another number. The salt in the database is deleted by whoever forgets him. */
  forget(kind: 'user' | 'customer', id: string): void {
    this.flush()
    this.#people.delete(`${kind}:${id}`)
  }

  /**
   * Writes all that waits, and signs where it is time, in one transaction: nobody ever sees an end that should be signed
   * and is not.
   * @param sign whatever was written since the last time @returns whether nothing is left
   */
  flush(sign = false): boolean {
    const lost = [...this.#chains].filter(([, { lost }]) => lost !== undefined)
    const unsigned = sign && [...this.#chains.values()].some(({ seq, signed }) => seq > signed)
    if (this.#waiting.length === 0 && lost.length === 0 && !unsigned) return true
    const taken = this.#waiting
    const gaps = lost.map(
      ([chain, { lost }]): Waiting => gapOf(chain, lost as NonNullable<Chain['lost']>, this.#hooks.now()),
    )
    const states = new Map(
      [...this.#chains].map(([chain, { seq, mac, at, signed }]) => [chain, { seq, mac, at, signed }]),
    )
    const rows: ChainRow[] = []
    const details: Details[] = []
    for (const entry of gaps.length > 0 ? [...taken, ...gaps] : taken) {
      const state = states.get(entry.chain) as { seq: number; mac: Uint8Array; at: number }
      const seq = state.seq + 1
      // A clock may fall back; the order of the entries is that of their times.
      const at = Math.max(state.at, entry.at)
      const body = entry.body()
      const mac = this.keys.macOf(state.mac, { chain: entry.chain, seq, at, body })
      rows.push({ chain: entry.chain, seq, at, mac, body })
      if (entry.details) details.push({ seq, ...entry.details })
      state.seq = seq
      state.mac = mac
      state.at = at
    }
    const checkpoints: Checkpoint[] = []
    for (const [chain, state] of states)
      if (state.seq - state.signed >= (sign ? 1 : this.#rules.checkpointEntries)) {
        checkpoints.push(this.#signed(chain, 'checkpoint', state))
        state.signed = state.seq
      }
    const salts = this.#newSalts
    try {
      this.#shelf.append(rows, details, salts, checkpoints)
    } catch (cause) {
      if (!this.#stuck)
        this.#hooks.error('The audit could not be written; it will be tried again.', { told: String(cause) })
      this.#stuck = true
      this.#flushIn(RETRY_MS)
      return false
    }
    this.#stuck = false
    this.#waiting = []
    this.#newSalts = []
    for (const [chain, state] of states) Object.assign(this.#chains.get(chain) as Chain, state)
    for (const [chain, state] of lost) {
      this.#hooks.missing(
        `${state.lost?.count} entries of the audit of ${chainName(chain)} are missing: a gap says so.`,
      )
      state.lost = undefined
    }
    if (rows.length > 0) this.#hooks.wrote(rows)
    for (const checkpoint of checkpoints) this.#hooks.anchored(checkpoint)
    return true
  }

  /** Signs what was written since the last time. */
  checkpoint(): void {
    this.flush(true)
  }

  #signed(chain: number, kind: Checkpoint['kind'], { seq, mac }: Pick<ChainRow, 'seq' | 'mac'>): Checkpoint {
    return this.#signer.sign({ chain, seq, kind, mac, at: this.#hooks.now() })
  }

  /** Says, signed, that everything up to an entry is let go. @throws Error where it cannot be written */
  bury(name: ChainName, last: Pick<ChainRow, 'seq' | 'mac'>): void {
    const chain = CHAINS[name]
    const tombstone = this.#signed(chain, 'tombstone', last)
    this.#shelf.append([], [], [], [tombstone])
    const state = this.#chains.get(chain) as Chain
    state.signed = Math.max(state.signed, last.seq)
    this.#hooks.anchored(tombstone)
  }

  /** Writes and signs everything. */
  stop(): void {
    clearInterval(this.#signing)
    const { version } = this.#rules
    for (const chain of this.#chains.keys()) this.#say(chain, { kind: 'stop', time: iso(this.#hooks.now()), version })
    this.checkpoint()
    clearTimeout(this.#timer)
  }
}

function gapOf(chain: number, { count, from, to }: NonNullable<Chain['lost']>, now: number): Waiting {
  const entry: GapEntry = {
    ...{ kind: 'gap', from: iso(from), to: iso(to), count },
    why: 'the database could not be written, and no more entries could wait',
  }
  return { chain, at: now, body: () => JSON.stringify(entry) }
}

const isStop = (body: string): boolean => body.startsWith('{"kind":"stop"')

const iso = (ms: number): string => new Date(ms).toISOString()
