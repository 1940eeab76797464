/** The guardrails of one call: which look at it, what they have said, and what that means for it. */
import { Refusal } from '../core/refusal.ts'
import { redactable, statusOf } from '../guardrails/act.ts'
import { Gate } from '../guardrails/gate.ts'
import type { Piece, Subject } from '../guardrails/guard.ts'
import type { Looked, Rail } from '../guardrails/rail.ts'
import type { Mode } from '../guardrails/terms.ts'
import { Vault } from '../guardrails/vault.ts'
import { joined, type Status, type Verdict } from '../guardrails/verdict.ts'
import { namesOf } from '../guardrails/view.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

export class Screening {
  readonly #call: Call
  readonly #io: Io
  readonly #verdicts = new Map<string, Verdict>()
  readonly #tenant: string
  /** Those that look at this request, but for those that chance leaves out. */
  readonly rails: readonly Rail[]
  readonly vault = new Vault()
  /** Looks beside the request; a whole answer waits for them. */
  beside: Promise<void> | undefined
  #abort: AbortSignal | undefined

  constructor(call: Call, io: Io, rails: readonly Rail[]) {
    this.#call = call
    this.#io = io
    this.#tenant = tenantOf(call)
    this.rails = rails.filter(({ terms }) => terms.sample >= 1 || io.random() < terms.sample)
    for (const { terms } of rails)
      for (const mode of terms.modes) this.#verdicts.set(keyOf(terms.name, mode), notRun(terms.name, terms.kind, mode))
  }

  in(mode: Mode): Rail[] {
    return this.rails.filter(({ terms }) => terms.modes.includes(mode))
  }

  /** What every guardrail of this call has said. */
  get verdicts(): readonly Verdict[] {
    return [...this.#verdicts.values()]
  }

  /** The same in words, for logs and headers: `pii=redacted; mode=pre_call`. */
  get told(): string[] {
    return this.verdicts.map(({ name, mode, status }) => `${name}=${status}; mode=${mode}`)
  }

  /** What tells a request that is looked at like this from the same one that is not: an answer is kept for such a one. */
  get mark(): string {
    return JSON.stringify(
      this.rails.map(({ guard, terms: { name, modes, onFlagged, onError, restore, pieces, roles } }) => [
        ...[name, guard.version, modes, onFlagged, onError, restore, pieces, roles],
      ]),
    )
  }

  /** Whether its answers have to be read and written. */
  get seesAnswers(): boolean {
    return !this.vault.isEmpty || this.rails.some(({ terms: { modes } }) => modes.some(isOfAnswers))
  }

  look(rails: readonly Rail[], subject: Subject): readonly Looked[] | Promise<readonly Looked[]> {
    // One for all of a call's looks: making one is not for nothing.
    this.#abort ??= this.#call.leaving.toSignal()
    return this.#io.guards.look(rails, subject, this.#tenant, this.#abort)
  }

  /**
   * Notes what was said.
   * @returns those whose findings are to be taken out, and whether the request has to stay in the house
   * @throws Refusal where it ends here
   */
  decide(looked: readonly Looked[], mode: Mode): { redact: readonly Looked[]; isLocal: boolean } {
    const redact: Looked[] = []
    let isLocal = false
    let refusal: Refusal | undefined
    for (const one of looked) {
      const status = this.#note(one, mode)
      const { look } = one
      const { onFlagged, name } = one.rail.terms
      if (mode === 'logging_only') continue
      if (status === 'redacted') redact.push(redactable(one))
      if (onFlagged === 'local_only' && (look?.flagged || isClosed(one))) isLocal = true
      else if (isClosed(one)) refusal ??= noVerdict(name, mode)
      // What was found says more than what was not.
      if (status === 'blocked') refusal = blocked(name, mode)
    }
    if (refusal) throw refusal
    return { redact, isLocal }
  }

  #note({ rail, look, error, ms, cached }: Looked, mode: Mode): Status {
    const { terms } = rail
    const { name, kind } = terms
    const key = keyOf(name, mode)
    const status = statusOf(rail, look, error !== undefined, mode)
    const now: Verdict = {
      ...{ name, kind, mode, status, ms, error: error?.message },
      categories: look?.flagged ? look.categories : [],
      confidence: look?.confidence,
      cached: cached ? 1 : 0,
      looks: look || error ? 1 : 0,
    }
    this.#verdicts.set(key, joined(this.#verdicts.get(key), now))
    if (error)
      this.#io.warn('A guardrail gave no verdict.', {
        ...{ request_id: this.#call.id, guardrail: name, mode, why: error.why, told: error.message },
        on_error: terms.onError,
      })
    return status
  }

  /** Nobody asks it: what it would have said is not known. @throws Refusal where that is not enough */
  pass(rail: Rail, mode: Mode, why: string): void {
    const { terms } = rail
    const key = keyOf(terms.name, mode)
    this.#verdicts.set(key, { ...notRun(terms.name, terms.kind, mode), error: why })
    if (mode !== 'logging_only' && terms.onError === 'fail_closed') throw noVerdict(terms.name, mode)
  }

  /** Names of the tools that the request has declared. */
  get declared(): ReadonlySet<string> {
    const { canonical } = this.#call
    return canonical?.op === 'chat' ? namesOf(canonical) : NO_NAMES
  }

  /** One for each stream that may become the answer. */
  gate(): Gate | undefined {
    if (!this.seesAnswers) return undefined
    const rails = this.in('post_call')
    return new Gate({
      ...{ rails, vault: this.vault, model: this.#call.peek.model, choices: this.#call.peek.n },
      declared: this.declared,
      look: (of, subject) => this.look(of, subject),
      decide: (looked: readonly Looked[], _: readonly Piece[]) => this.decide(looked, 'post_call').redact,
      tooLong: () => {
        for (const rail of rails) this.pass(rail, 'post_call', 'The answer is too long to be held back.')
      },
    })
  }
}

const NO_NAMES: ReadonlySet<string> = new Set()

const keyOf = (name: string, mode: Mode): string => `${name} ${mode}`

const isOfAnswers = (mode: Mode): boolean => mode === 'post_call'

function notRun(name: string, kind: string, mode: Mode): Verdict {
  return { name, kind, mode, status: 'not_run', categories: [], ms: 0, cached: 0, looks: 0 }
}

const isClosed = ({ error, rail }: Looked): boolean => error !== undefined && rail.terms.onError === 'fail_closed'

/** Names the guardrail and no more: what it found is nobody's but the operator's. */
export function blocked(name: string, mode: Mode): Refusal {
  const what = mode === 'post_call' ? 'answer' : 'request'
  return new Refusal('content_policy_violation', `The guardrail '${name}' does not let this ${what} through.`, {
    facts: { guardrail_name: name, guardrail_mode: mode },
  })
}

const noVerdict = (name: string, mode: Mode): Refusal =>
  new Refusal(
    'guardrail_unavailable',
    `The guardrail '${name}' can't look at this now, and nothing goes through unseen. Try again later.`,
    { facts: { guardrail_name: name, guardrail_mode: mode } },
  )

/** Verdicts are kept for those who belong together. */
function tenantOf({ payer, keyId }: Call): string {
  if (payer.organization !== undefined) return `organization:${payer.organization}`
  if (payer.team !== undefined) return `team:${payer.team}`
  return keyId === undefined ? 'master' : `key:${keyId}`
}
