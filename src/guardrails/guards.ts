/** All guardrails of a gateway. */
import type { Shelf } from '../cache/shelf.ts'
import type { GuardTools, Subject } from './guard.ts'
import type { Kind } from './kind.ts'
import { type Asking, looksAt } from './policy.ts'
import { type Looked, type LookTools, lookWith, type Rail, railOf } from './rail.ts'
import { Report } from './report.ts'
import type { GuardTerms } from './terms.ts'

export class Guards {
  readonly rails: readonly Rail[]
  readonly report: Report
  readonly #names: ReadonlySet<string>
  readonly #tools: LookTools

  constructor(rails: readonly Rail[], tools: LookTools) {
    this.rails = rails
    this.#names = new Set(rails.map(({ terms }) => terms.name))
    this.#tools = tools
    this.report = new Report(rails.map(({ terms: { name, kind } }) => ({ name, kind })))
  }

  get isEmpty(): boolean {
    return this.rails.length === 0
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  get names(): readonly string[] {
    return [...this.#names]
  }

  for(asking: Asking): readonly Rail[] {
    return this.rails.filter(({ terms }) => looksAt(terms, asking))
  }

  /** At once where none of them needs anybody else. In the order of the rails. */
  look(
    rails: readonly Rail[],
    subject: Subject,
    tenant: string,
    signal: AbortSignal,
  ): readonly Looked[] | Promise<readonly Looked[]> {
    const looks = rails.map((rail) => lookWith(rail, subject, tenant, signal, this.#tools))
    const noted = (all: readonly Looked[]) => {
      for (const one of all) this.report.looked(one)
      return all
    }
    return looks.some((look) => look instanceof Promise) ? Promise.all(looks).then(noted) : noted(looks as Looked[])
  }
}

/**
 * @param terms of the configuration, checked
 * @throws Error naming a guardrail that can't be made
 */
export function guardsOf(
  terms: readonly GuardTerms[],
  kinds: readonly Kind[],
  tools: GuardTools,
  look: { shelf: (where: 'memory' | 'sqlite' | 'redis') => Shelf; random(): number },
): Guards {
  const rails = terms.map((one) => {
    const kind = kinds.find(({ kind }) => kind === one.kind)
    if (!kind) throw new Error(`The guardrail '${one.name}' is of a kind that does not exist: ${one.kind}.`)
    try {
      return railOf(one, kind.make(one.settings, tools))
    } catch (cause) {
      throw new Error(`The guardrail '${one.name}' can't be made: ${cause instanceof Error ? cause.message : cause}`)
    }
  })
  return new Guards(rails, { ...look, now: () => performance.now() })
}
