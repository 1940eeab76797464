/** Who pays for a key, and which budgets everybody has: in memory, from the keys, the holders and the configuration. */
import { type Budget, type BudgetTerms, budgetsOf } from '../core/budget.ts'
import type { Holder, HolderKind, Template } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { NOBODY, type Payer, readScope, scopesOfPayer, spokenScope } from '../core/scope.ts'
import type { Holders } from '../store/holders.ts'

/** Budgets that the configuration gives. */
export interface ConfiguredBudgets {
  /** Of scopes by their names: `gateway`, `provider:openai`, `tag:batch`. A holder of the same name wins. */
  scopes: Readonly<Record<string, BudgetTerms>>
  /** Of customers who have none of their own. */
  customer: BudgetTerms | undefined
}

const NONE: readonly Budget[] = []
/** A key has an account even without a limit: its spend is told in a header. */
const UNLIMITED: readonly Budget[] = [{ limit: Number.POSITIVE_INFINITY }]

export class Payers {
  readonly #store: Holders
  readonly #configured: ConfiguredBudgets
  readonly #holders = new Map<string, Holder>()
  readonly #templates = new Map<string, Template>()
  readonly #keyOf: (id: string) => Key | undefined
  /** Computed when they are first asked for; emptied by every change. */
  #payers = new WeakMap<Key, Payer>()
  #ofKeys = new WeakMap<Key, readonly Budget[]>()
  #budgets = new Map<string, readonly Budget[]>()

  /** @param keyOf a key by its id */
  constructor(store: Holders, configured: ConfiguredBudgets, keyOf: (id: string) => Key | undefined) {
    this.#store = store
    this.#configured = configured
    this.#keyOf = keyOf
    for (const holder of store.all()) this.#holders.set(nameOf(holder), holder)
    for (const template of store.templates()) this.#templates.set(template.id, template)
  }

  of(key: Key | undefined): Payer {
    if (!key) return NOBODY
    let payer = this.#payers.get(key)
    if (!payer) {
      payer = this.#make(key)
      this.#payers.set(key, payer)
    }
    return payer
  }

  #make(key: Key): Payer {
    const project = key.projectId === undefined ? undefined : this.#holders.get(`project:${key.projectId}`)
    const team = key.teamId ?? project?.teamId
    const organization =
      key.organizationId ??
      (team === undefined ? undefined : this.#holders.get(`team:${team}`)?.organizationId) ??
      (key.userId === undefined ? undefined : this.#holders.get(`user:${key.userId}`)?.organizationId)
    const { id, userId: user, projectId, tags } = key
    return { key: id, user, team, organization, project: projectId, customer: undefined, tags: [...tags].sort() }
  }

  budgets(scope: string): readonly Budget[] {
    const { kind, id } = readScope(scope)
    if (kind === 'key') return this.#budgetsOfKey(this.#keyOf(id))
    const known = this.#budgets.get(scope)
    if (known) return known
    const terms = this.#holders.get(scope)
    if (terms && hasTerms(terms)) return this.#remember(scope, this.#amountTo(terms))
    const configured = this.#configured.scopes[scope]
    if (configured) return this.#remember(scope, this.#amountTo(configured))
    // All unknown customers share the array, not the money: nothing is remembered of any of them here.
    if (kind === 'customer' && this.#configured.customer)
      return this.#budgets.get('customer') ?? this.#remember('customer', this.#amountTo(this.#configured.customer))
    return NONE
  }

  /** A key that changes is another object. */
  #budgetsOfKey(key: Key | undefined): readonly Budget[] {
    if (!key) return UNLIMITED
    let budgets = this.#ofKeys.get(key)
    if (!budgets) {
      const own = this.#amountTo(key)
      budgets = own.length > 0 ? own : UNLIMITED
      this.#ofKeys.set(key, budgets)
    }
    return budgets
  }

  #remember(scope: string, budgets: readonly Budget[]): readonly Budget[] {
    this.#budgets.set(scope, budgets)
    return budgets
  }

  #amountTo(terms: BudgetTerms): readonly Budget[] {
    return budgetsOf(terms, terms.budgetId === undefined ? undefined : this.#templates.get(terms.budgetId))
  }

  check(payer: Payer): void {
    if (this.#holders.size === 0) return
    for (const scope of scopesOfPayer(payer))
      if (this.#holders.get(scope)?.blocked)
        throw new Refusal(
          'blocked_api_key',
          `Requests of ${spokenScope(scope)} are blocked. The operator can open them again.`,
        )
  }

  holder(kind: HolderKind, id: string): Holder | undefined {
    return this.#holders.get(`${kind}:${id}`)
  }

  holders(kind: HolderKind): Holder[] {
    return [...this.#holders.values()].filter((holder) => holder.kind === kind)
  }

  put(holder: Holder): void {
    this.#store.put(holder)
    this.#holders.set(nameOf(holder), holder)
    this.#forget()
  }

  remove(kind: HolderKind, id: string): void {
    this.#store.delete(kind, id)
    this.#holders.delete(`${kind}:${id}`)
    this.#forget()
  }

  template(id: string): Template | undefined {
    return this.#templates.get(id)
  }

  templates(): Template[] {
    return [...this.#templates.values()]
  }

  putTemplate(template: Template): void {
    this.#store.putTemplate(template)
    this.#templates.set(template.id, template)
    this.#forget()
  }

  removeTemplate(id: string): void {
    this.#store.deleteTemplate(id)
    this.#templates.delete(id)
    this.#forget()
  }

  /** Of all: who belongs to whom, and whose template it is, is worked out anew. */
  #forget(): void {
    this.#payers = new WeakMap()
    this.#ofKeys = new WeakMap()
    this.#budgets = new Map()
  }
}

const nameOf = ({ kind, id }: Holder): string => `${kind}:${id}`

/** Whether a holder says anything of money itself. */
const hasTerms = (terms: BudgetTerms): boolean =>
  terms.maxBudget !== undefined ||
  terms.softBudget !== undefined ||
  terms.budgetId !== undefined ||
  terms.windows !== undefined ||
  terms.perModel !== undefined
