/** Who pays for a key, and which budgets everybody has: in memory, from the keys, the holders and the configuration. */
import type { ModelList } from '../core/access.ts'
import { type Budget, type BudgetTerms, budgetsOf } from '../core/budget.ts'
import type { Holder, HolderKind, Template } from '../core/holder.ts'
import type { Key, Limits } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { NOBODY, type Payer, readScope, type ScopeKind, scopesOfPayer, spokenScope } from '../core/scope.ts'
import type { WrittenTerms } from '../core/terms.ts'
import type { Holders } from '../store/holders.ts'

interface Limited {
  scope: string
  limits: Limits
}

/** Budgets that the configuration gives. */
export interface ConfiguredBudgets {
  /** Of scopes by their names: `gateway`, `provider:openai`, `tag:batch`. A holder of the same name wins. */
  scopes: Readonly<Record<string, BudgetTerms>>
  /** Of those who have none of their own, by their kind: the first that amounts to something. */
  others: Partial<Record<ScopeKind, readonly BudgetTerms[]>>
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
  readonly #hasModel: (name: string) => boolean
  /** Computed when they are first asked for; emptied by every change. */
  #payers = new WeakMap<Key, Payer>()
  #ofKeys = new WeakMap<Key, readonly Budget[]>()
  #budgets = new Map<string, readonly Budget[]>()
  /** Of payers, which are made anew then. */
  readonly #lists = new WeakMap<Payer, readonly ModelList[]>()
  readonly #limits = new WeakMap<Payer, readonly Limited[]>()

  /** @param keyOf a key by its id @param hasModel whether there is an alias of this very name */
  constructor(
    store: Holders,
    configured: ConfiguredBudgets,
    keyOf: (id: string) => Key | undefined,
    hasModel: (name: string) => boolean,
  ) {
    this.#hasModel = hasModel
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
    const { id, userId: user, projectId } = key
    const holders = [project, this.#at('team', team), this.#at('organization', organization)]
    const tags = [...new Set([...key.tags, ...holders.flatMap((holder) => (holder ? tagsOf(holder) : []))])].sort()
    return { key: id, user, team, organization, project: projectId, customer: undefined, tags }
  }

  #at(kind: HolderKind, id: string | undefined): Holder | undefined {
    return id === undefined ? undefined : this.#holders.get(`${kind}:${id}`)
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
    return this.#budgetsOfOthers(kind)
  }

  /** All unknown customers share the array, not the money: nothing is remembered of any of them here. */
  #budgetsOfOthers(kind: ScopeKind): readonly Budget[] {
    const others = this.#configured.others[kind]
    if (!others) return NONE
    const known = this.#budgets.get(kind)
    if (known) return known
    const found = others.map((terms) => this.#amountTo(terms)).find((budgets) => budgets.length > 0)
    return this.#remember(kind, found ?? NONE)
  }

  /** A key that changes is another object. */
  #budgetsOfKey(key: Key | undefined): readonly Budget[] {
    if (!key) return UNLIMITED
    let budgets = this.#ofKeys.get(key)
    if (!budgets) {
      const own = this.#amountTo(key)
      // Its first account counts everything.
      budgets = own.some(({ model }) => model === undefined) ? own : [...UNLIMITED, ...own]
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

  lists(payer: Payer, key: Key): readonly ModelList[] {
    let lists = this.#lists.get(payer)
    if (!lists) {
      lists = this.#listsOf(payer, key)
      this.#lists.set(payer, lists)
    }
    return lists
  }

  #listsOf(payer: Payer, key: Key): ModelList[] {
    const lists: ModelList[] = []
    // The team's list holds for all of its keys anyway.
    const isTeams = payer.team !== undefined && key.models.includes(ALL_OF_TEAM)
    if (key.models.length > 0 && !isTeams) lists.push({ scope: `key:${key.id}`, models: key.models })
    if (this.#holders.size === 0) return lists
    for (const kind of ['customer', 'user', 'project', 'team', 'organization'] as const) {
      const holder = this.#at(kind, payer[kind])
      if (holder && holder.models.length > 0) lists.push({ scope: nameOf(holder), models: holder.models })
    }
    return lists
  }

  limits(payer: Payer): readonly Limited[] {
    let limits = this.#limits.get(payer)
    if (!limits) {
      limits = scopesOfPayer(payer).flatMap((scope) => {
        const limits = this.#limitsOf(scope)
        const isLimited = limits && Object.values(limits).some((limit) => limit !== undefined)
        return isLimited ? [{ scope, limits }] : []
      })
      this.#limits.set(payer, limits)
    }
    return limits
  }

  /** Its own, else one by one those of its template; of those who have nothing of their own, the default template's. */
  #limitsOf(scope: string): Limits | undefined {
    const { kind, id } = readScope(scope)
    const holder = kind === 'key' ? this.#keyOf(id) : this.#holders.get(scope)
    const hasOwn = holder !== undefined && (kind === 'key' || hasTerms(holder))
    const others = this.#configured.others[kind]?.map((terms) => terms.budgetId).find((id) => id !== undefined)
    const template = this.#templates.get((hasOwn ? holder.budgetId : others) ?? '')?.limits
    return template ? { ...template, ...said(holder?.limits ?? {}) } : holder?.limits
  }

  holder(kind: HolderKind, id: string): Holder | undefined {
    return this.#holders.get(`${kind}:${id}`)
  }

  /** @param param the field that names it @throws Refusal not_found where it is not there */
  need(kind: HolderKind, id: string, param: string): Holder {
    const holder = this.holder(kind, id)
    if (holder) return holder
    throw new Refusal('not_found', `There is no ${kind} '${id.slice(0, 100)}'. Make it first: POST /${kind}/new.`, {
      param,
    })
  }

  /**
   * @param said of them just now @throws Refusal where terms name a template or a model that is not there, or raise a
   * budget that is not there
   */
  checkTerms({ budgetId, maxBudget, raise }: BudgetTerms, said: Pick<WrittenTerms, 'model_max_budget'>): void {
    // Named by another name than the alias's own, or by a slip of the pen, it would bound nothing.
    for (const model of Object.keys(said.model_max_budget ?? {}))
      if (!model.includes('*') && !this.#hasModel(model))
        throw new Refusal(
          'invalid_request',
          `model_max_budget: there is no model '${model}'. Name an alias, or a pattern.`,
          {
            param: 'model_max_budget',
          },
        )
    const template = budgetId === undefined ? undefined : this.#templates.get(budgetId)
    if (budgetId !== undefined && !template)
      throw new Refusal(
        'not_found',
        `There is no budget '${budgetId.slice(0, 100)}'. Make it first: POST /budget/new.`,
        {
          param: 'budget_id',
        },
      )
    if (raise && maxBudget === undefined && template?.maxBudget === undefined)
      throw new Refusal('invalid_request', 'temp_budget_increase: raises max_budget, and there is none.', {
        param: 'temp_budget_increase',
      })
  }

  holders(kind: HolderKind): Holder[] {
    return [...this.#holders.values()].filter((holder) => holder.kind === kind)
  }

  /** One that was made, else what the configuration says of it. */
  known(kind: HolderKind, id: string): Holder | undefined {
    return this.holder(kind, id) ?? this.#asHolder(`${kind}:${id}`)
  }

  /** All that were made or configured. */
  allOf(kind: HolderKind): Holder[] {
    const configured = Object.keys(this.#configured.scopes).filter((scope) => readScope(scope).kind === kind)
    const others = configured.filter((scope) => !this.#holders.has(scope))
    return [...this.holders(kind), ...others.flatMap((scope) => this.#asHolder(scope) ?? [])]
  }

  #asHolder(scope: string): Holder | undefined {
    const terms = this.#configured.scopes[scope]
    const { kind, id } = readScope(scope)
    if (!terms || kind === 'gateway' || kind === 'key') return undefined
    return { kind, id, models: [], limits: {}, blocked: false, metadata: {}, createdAt: 0, updatedAt: 0, ...terms }
  }

  /** Who has this template, beside keys, in words. */
  usersOf(templateId: string): string[] {
    const made = [...this.#holders].filter(([, { budgetId }]) => budgetId === templateId).map(([scope]) => scope)
    const { scopes, others } = this.#configured
    const configured = Object.keys(scopes).filter((scope) => scopes[scope]?.budgetId === templateId)
    const usual = Object.entries(others).filter(([, terms]) => terms.some(({ budgetId }) => budgetId === templateId))
    return [
      ...made.map(spokenScope),
      ...configured.map((scope) => `${spokenScope(scope)} in the configuration`),
      ...usual.map(([kind]) => `every ${kind} without a budget of its own (by the configuration)`),
    ]
  }

  /** Templates that the configuration names and that are not there. */
  missing(): string[] {
    const { scopes, others } = this.#configured
    const named = [...Object.values(scopes), ...Object.values(others).flat()].flatMap(({ budgetId }) => budgetId ?? [])
    return [...new Set(named)].filter((id) => !this.#templates.has(id))
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

/** LiteLLM's word in a key's list for whatever its team may use. */
const ALL_OF_TEAM = 'all-team-models'

/** Tags that a holder puts on every request of its keys stand where LiteLLM keeps them. */
export function tagsOf({ metadata }: Pick<Holder, 'metadata'>): string[] {
  return Array.isArray(metadata.tags) ? metadata.tags.filter((tag) => typeof tag === 'string') : []
}

const said = (limits: Limits): Limits =>
  Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))

const nameOf = ({ kind, id }: Holder): string => `${kind}:${id}`

/** Whether a holder says anything of money itself. */
const hasTerms = (terms: BudgetTerms): boolean =>
  terms.maxBudget !== undefined ||
  terms.softBudget !== undefined ||
  terms.budgetId !== undefined ||
  terms.windows !== undefined ||
  terms.perModel !== undefined
