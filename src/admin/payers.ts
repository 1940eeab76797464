/** Who pays for a key, and which budgets everybody has: in memory, from the keys, the holders and the configuration. */
import type { ModelList, Renames } from '../core/access.ts'
import { type Budget, type BudgetTerms, budgetsOf } from '../core/budget.ts'
import type { Holder, HolderKind } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import type { Limits } from '../core/limits.ts'
import { Refusal } from '../core/refusal.ts'
import { NOBODY, type Payer, readScope, type ScopeKind, scopesOfPayer, spokenScope } from '../core/scope.ts'
import type { Said } from '../guardrails/policy.ts'
import type { Register } from './register.ts'

interface Limited {
  scope: string
  limits: Limits
}

const NONE: readonly Budget[] = []
const NO_RENAMES: readonly Renames[] = []
/** A key has an account even without a limit: its spend is told in a header. */
const UNLIMITED: readonly Budget[] = [{ limit: Number.POSITIVE_INFINITY }]

export class Payers {
  readonly #register: Register
  readonly #groups: ReadonlyMap<string, readonly string[]>
  readonly #keyOf: (id: string) => Key | undefined
  /** Computed when they are first asked for; emptied by every change. */
  #payers = new WeakMap<Key, Payer>()
  #ofKeys = new WeakMap<Key, readonly Budget[]>()
  #budgets = new Map<string, readonly Budget[]>()
  /** Of payers, which are made anew then. */
  readonly #lists = new WeakMap<Payer, readonly ModelList[]>()
  readonly #guardrails = new WeakMap<Payer, Said>()
  readonly #limits = new WeakMap<Payer, readonly Limited[]>()

  /** @param groups names that stand for several aliases @param keyOf a key by its id @param changed told of each change of budgets, when it holds */
  constructor(
    register: Register,
    groups: ReadonlyMap<string, readonly string[]>,
    keyOf: (id: string) => Key | undefined,
    changed: () => void,
  ) {
    this.#groups = groups
    this.#register = register
    this.#keyOf = keyOf
    register.onChange(() => {
      this.#forget()
      changed()
    })
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
    const project = key.projectId === undefined ? undefined : this.#register.at(`project:${key.projectId}`)
    const team = key.teamId ?? project?.teamId
    const organization =
      key.organizationId ??
      (team === undefined ? undefined : this.#register.at(`team:${team}`)?.organizationId) ??
      (key.userId === undefined ? undefined : this.#register.at(`user:${key.userId}`)?.organizationId)
    const { id, userId: user, projectId } = key
    const holders = [project, this.#at('team', team), this.#at('organization', organization)]
    const tags = [...new Set([...key.tags, ...holders.flatMap((holder) => (holder ? tagsOf(holder) : []))])].sort()
    return { key: id, user, team, organization, project: projectId, customer: key.customerId, tags }
  }

  #at(kind: HolderKind, id: string | undefined): Holder | undefined {
    return id === undefined ? undefined : this.#register.at(`${kind}:${id}`)
  }

  budgets(scope: string): readonly Budget[] {
    const { kind, id } = readScope(scope)
    if (kind === 'key') return this.#budgetsOfKey(this.#keyOf(id))
    const known = this.#budgets.get(scope)
    if (known) return known
    const terms = this.#register.at(scope)
    if (terms && hasTerms(terms)) return this.#remember(scope, this.#amountTo(terms))
    const configured = this.#register.configured.scopes[scope]
    if (configured) return this.#remember(scope, this.#amountTo(configured))
    return this.#budgetsOfOthers(kind)
  }

  /** All unknown customers share the array, not the money: nothing is remembered of any of them here. */
  #budgetsOfOthers(kind: ScopeKind): readonly Budget[] {
    const others = this.#register.configured.others[kind]
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
    return budgetsOf(terms, terms.budgetId === undefined ? undefined : this.#register.template(terms.budgetId))
  }

  check(payer: Payer): void {
    if (this.#register.isEmpty) return
    for (const scope of scopesOfPayer(payer))
      if (this.#register.at(scope)?.blocked)
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
    if (key.models.length > 0 && !isTeams) lists.push({ scope: `key:${key.id}`, models: this.#spelt(key.models) })
    if (this.#register.isEmpty) return lists
    for (const kind of ['customer', 'user', 'project', 'team', 'organization'] as const) {
      const holder = this.#at(kind, payer[kind])
      if (holder && holder.models.length > 0)
        lists.push({ scope: `${holder.kind}:${holder.id}`, models: this.#spelt(holder.models) })
    }
    return lists
  }

  /** A group stands for all that are in it; what is both a group and an alias, for both. */
  #spelt(models: readonly string[]): readonly string[] {
    if (this.#groups.size === 0) return models
    return models.flatMap((name) => [name, ...(this.#groups.get(name) ?? [])])
  }

  renames(payer: Payer, key: Key): readonly Renames[] {
    const ofTeam = aliasesOf(this.#at('team', payer.team))
    if (!key.aliases && !ofTeam) return NO_RENAMES
    return [
      ...(key.aliases ? [{ scope: `key:${key.id}`, names: key.aliases }] : []),
      ...(ofTeam ? [{ scope: `team:${payer.team}`, names: ofTeam }] : []),
    ]
  }

  guardrails(key: Key | undefined): Said {
    if (!key) return NOTHING_SAID
    const payer = this.of(key)
    let said = this.#guardrails.get(payer)
    if (!said) {
      const all = [key, this.#at('project', payer.project), this.#at('team', payer.team)]
      said = joinedSaid(all.flatMap((one) => (one ? [one.metadata] : [])))
      this.#guardrails.set(payer, said)
    }
    return said
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
    const holder = kind === 'key' ? this.#keyOf(id) : this.#register.at(scope)
    const hasOwn = holder !== undefined && (kind === 'key' || hasTerms(holder))
    const others = this.#register.configured.others[kind]?.map((terms) => terms.budgetId).find((id) => id !== undefined)
    const template = this.#register.template((hasOwn ? holder.budgetId : others) ?? '')?.limits
    return template ? { ...template, ...said(holder?.limits ?? {}) } : holder?.limits
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

/** A team's own names for models (`model_aliases`), where LiteLLM's details of it stand. */
function aliasesOf(team: Pick<Holder, 'metadata'> | undefined): Readonly<Record<string, string>> | undefined {
  const said = team?.metadata.model_aliases
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return undefined
  const pairs = Object.entries(said).filter(([, name]) => typeof name === 'string') as [string, string][]
  return pairs.length > 0 ? Object.fromEntries(pairs) : undefined
}

const said = (limits: Limits): Limits =>
  Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))

const NOTHING_SAID: Said = { names: [], isExempt: false }

/** What a key and those it belongs to say of guardrails, where LiteLLM keeps it. */
function joinedSaid(all: readonly Readonly<Record<string, unknown>>[]): Said {
  const names = all.flatMap(({ guardrails }) => (Array.isArray(guardrails) ? guardrails : []))
  const isExempt = all.some(({ disable_global_guardrails: said }) => said === true)
  return { names: names.filter((one) => typeof one === 'string'), isExempt }
}

/** Whether a holder says anything of money itself. */
const hasTerms = (terms: BudgetTerms): boolean =>
  terms.maxBudget !== undefined ||
  terms.softBudget !== undefined ||
  terms.budgetId !== undefined ||
  terms.windows !== undefined ||
  terms.perModel !== undefined
