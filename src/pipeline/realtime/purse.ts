/** The money of a conversation: a hold for the next answer, opened before it begins, and a row for each that has ended. */
import type { Price } from '../../core/price.ts'
import type { Target } from '../../core/target.ts'
import { addUsage, NO_USAGE, type Usage } from '../../core/usage.ts'
import type { OpenHold } from '../../store/ledger.ts'
import { charge } from '../accounts.ts'
import type { Call } from '../call.ts'
import { drop, endAttempt, used } from '../conclude.ts'
import type { Io } from '../io.ts'
import { nothing, setAside } from '../set-aside.ts'

/** The longest answer of OpenAI's realtime models, and the most they remember (platform.openai.com/docs/models), in tokens. */
const LONGEST_ANSWER = 4_096
const LONGEST_MEMORY = 32_768
/** What instructions and a sentence are likely to be, before anything was counted. */
const USUAL_INPUT = 500

export class Purse {
  readonly total = { ...NO_USAGE }
  cost = 0
  readonly #call: Call
  readonly #io: Io
  readonly #target: Target
  readonly #gone: AbortSignal
  #spare: OpenHold | undefined
  readonly #open = new Map<string, OpenHold>()
  #lastInput = 0
  #deltas = 0
  #ended = false

  /** @param gone ends the waiting for money */
  constructor(call: Call, io: Io, target: Target, gone: AbortSignal) {
    this.#call = call
    this.#io = io
    this.#target = target
    this.#gone = gone
  }

  /** Whether there is money for what the caller asks next. */
  get isReady(): boolean {
    return this.#spare !== undefined || this.#open.size > 0
  }

  /** Sets aside what one more answer can cost. @throws Refusal budget_exceeded */
  async prepare(): Promise<void> {
    if (this.isReady || this.#ended) return
    const hold = await this.#hold(true)
    if (this.#ended) drop(this.#io, hold)
    else this.#spare = hold
  }

  /** An answer begins. @throws Refusal budget_exceeded where it is one more than was prepared for */
  async begin(id: string): Promise<void> {
    if (this.#open.has(id) || this.#ended) return
    const hold = this.#spare ?? (await this.#hold(true))
    if (hold === this.#spare) this.#spare = undefined
    this.#open.set(id, hold)
    if (this.#ended) this.end()
  }

  heard(): void {
    this.#deltas++
  }

  /** An answer has ended: it is charged, and the next one may be prepared. */
  async done(id: string, reported: Usage | undefined, outcome: 'ok' | 'aborted' | 'server'): Promise<void> {
    const hold = this.#open.get(id) ?? this.#spare ?? (await this.#hold(false))
    if (hold === this.#spare) this.#spare = undefined
    this.#open.delete(id)
    this.#settle(hold, reported, outcome)
  }

  /** What was counted beside an answer: the caller's speech written down. */
  async beside(counted: Usage): Promise<void> {
    this.#settle(await this.#hold(false), counted, 'ok')
  }

  /** The conversation is over: what was not used is let go, what was cut off is charged as far as it came. */
  end(): void {
    this.#ended = true
    if (this.#spare) this.#drop(this.#spare)
    this.#spare = undefined
    for (const hold of this.#open.values()) this.#settle(hold, undefined, 'aborted')
    this.#open.clear()
  }

  #drop(hold: OpenHold): void {
    this.#call.attempts--
    drop(this.#io, hold)
  }

  #settle(hold: OpenHold, reported: Usage | undefined, outcome: 'ok' | 'aborted' | 'server'): void {
    const charged = used(reported, hold, this.#deltas, outcome !== 'server')
    this.#deltas = 0
    const status = outcome === 'server' ? 500 : 200
    this.cost += endAttempt(this.#call, this.#io, hold, { outcome, status, ...charged, firstMs: undefined })
    this.#lastInput = charged.usage.input
    addUsage(this.total, charged.usage)
  }

  /** @param ahead whether it is for what is still to come; what has been is booked whatever is left */
  async #hold(ahead: boolean): Promise<OpenHold> {
    const target = this.#target
    const inputMost = target.contextTokens ?? LONGEST_MEMORY
    const outputMost = target.maxOutputTokens ?? LONGEST_ANSWER
    const inputLikely = Math.min(inputMost, this.#lastInput + USUAL_INPUT)
    // What an answer may become cannot be cut once it is spoken: all of it has to be there.
    const tokens = { inputMost, inputLikely, outputMost, outputLeast: outputMost }
    const special = { attempt: ++this.#call.attempts, signal: this.#gone }
    // Budgets may have changed since the conversation began.
    charge(this.#call, this.#io)
    const ask = ahead ? (price: Price) => ({ price, tokens }) : nothing
    return setAside(this.#call, this.#io, target, ask, special)
  }
}
