/** The holders, templates and configured budgets, in memory and at rest: who there is, and what was said of them. */
import type { BudgetTerms } from '../core/budget.ts'
import { actionOf, type TellChange, tellNobody } from '../core/change.ts'
import type { Holder, HolderKind, Member, Template } from '../core/holder.ts'
import { Refusal } from '../core/refusal.ts'
import { readScope, type ScopeKind, spokenScope } from '../core/scope.ts'
import type { WrittenTerms } from '../core/terms.ts'
import type { Holders } from '../store/holders.ts'

/** Budgets that the configuration gives. */
export interface ConfiguredBudgets {
  /** Of scopes by their names: `gateway`, `provider:openai`, `tag:batch`. A holder of the same name wins. */
  scopes: Readonly<Record<string, BudgetTerms>>
  /** Of those who have none of their own, by their kind: the first that amounts to something. */
  others: Partial<Record<ScopeKind, readonly BudgetTerms[]>>
}

const NO_MEMBERSHIPS: readonly Member[] = []

export class Register {
  readonly configured: ConfiguredBudgets
  readonly #store: Holders
  readonly #hasModel: (name: string) => boolean
  readonly #holders = new Map<string, Holder>()
  readonly #templates = new Map<string, Template>()
  /** User → what he is a member of. */
  readonly #memberships = new Map<string, readonly Member[]>()
  /** Told of every change. */
  readonly #listeners: (() => void)[] = []

  readonly #tell: TellChange

  /** @param hasModel whether there is an alias of this very name @param tell told what each change was */
  constructor(
    store: Holders,
    configured: ConfiguredBudgets,
    hasModel: (name: string) => boolean,
    tell: TellChange = tellNobody,
  ) {
    this.#store = store
    this.#tell = tell
    this.configured = configured
    this.#hasModel = hasModel
    for (const holder of store.all()) this.#holders.set(scopeOf(holder), holder)
    for (const template of store.templates()) this.#templates.set(template.id, template)
    for (const member of store.members())
      this.#memberships.set(member.userId, [...this.membershipsOf(member.userId), member])
  }

  /** @param listener told of every change of a holder, a member or a template */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }

  membershipsOf(userId: string): readonly Member[] {
    return this.#memberships.get(userId) ?? NO_MEMBERSHIPS
  }

  member(kind: Member['kind'], id: string, userId: string | undefined): Member | undefined {
    if (userId === undefined) return undefined
    return this.membershipsOf(userId).find((one) => one.kind === kind && one.id === id)
  }

  /** In the order in which they came. */
  membersOf(kind: Member['kind'], id: string): Member[] {
    const all = [...this.#memberships.values()].flat().filter((one) => one.kind === kind && one.id === id)
    return all.sort((a, b) => a.createdAt - b.createdAt || (a.userId < b.userId ? -1 : 1))
  }

  putMember(member: Member): void {
    const before = this.member(member.kind, member.id, member.userId)
    this.#store.putMember(member)
    this.#tell({ table: 'member', id: nameOf(member), action: before ? 'updated' : 'created', before, after: member })
    this.#memberships.set(member.userId, [...this.#othersOf(member), member])
    this.#changed()
  }

  removeMember(member: Member): void {
    this.#store.deleteMember(member)
    this.#tell({ table: 'member', id: nameOf(member), action: 'deleted', before: member })
    const others = this.#othersOf(member)
    if (others.length > 0) this.#memberships.set(member.userId, others)
    else this.#memberships.delete(member.userId)
    this.#changed()
  }

  #othersOf({ kind, id, userId }: Member): Member[] {
    return this.membershipsOf(userId).filter((one) => one.kind !== kind || one.id !== id)
  }

  /** The holder of a scope, by the scope's name. */
  at(scope: string): Holder | undefined {
    return this.#holders.get(scope)
  }

  get isEmpty(): boolean {
    return this.#holders.size === 0
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

  /** @throws Refusal where a name leads to a model that is not there */
  checkAliases(said: Readonly<Record<string, string>> | null | undefined, param: string): void {
    for (const [asked, meant] of Object.entries(said ?? {}))
      if (!this.#hasModel(meant))
        throw new Refusal('invalid_request', `${param}.${asked}: there is no model '${meant}'. Name an alias.`, {
          param,
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
    const configured = Object.keys(this.configured.scopes).filter((scope) => readScope(scope).kind === kind)
    const others = configured.filter((scope) => !this.#holders.has(scope))
    return [...this.holders(kind), ...others.flatMap((scope) => this.#asHolder(scope) ?? [])]
  }

  #asHolder(scope: string): Holder | undefined {
    const terms = this.configured.scopes[scope]
    const { kind, id } = readScope(scope)
    if (!terms || kind === 'gateway' || kind === 'key') return undefined
    return { kind, id, models: [], limits: {}, blocked: false, metadata: {}, createdAt: 0, updatedAt: 0, ...terms }
  }

  /** Who has this template, beside keys, in words. */
  usersOf(templateId: string): string[] {
    const made = [...this.#holders].filter(([, { budgetId }]) => budgetId === templateId).map(([scope]) => scope)
    const { scopes, others } = this.configured
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
    const { scopes, others } = this.configured
    const named = [...Object.values(scopes), ...Object.values(others).flat()].flatMap(({ budgetId }) => budgetId ?? [])
    return [...new Set(named)].filter((id) => !this.#templates.has(id))
  }

  put(holder: Holder): void {
    const before = this.holder(holder.kind, holder.id)
    this.#store.put(holder)
    this.#tell({ table: holder.kind, id: holder.id, action: actionOf(before, holder), before, after: holder })
    this.#holders.set(scopeOf(holder), holder)
    this.#changed()
  }

  remove(kind: HolderKind, id: string): void {
    if (kind === 'team' || kind === 'organization')
      for (const member of this.membersOf(kind, id)) this.removeMember(member)
    if (kind === 'user') for (const member of this.membershipsOf(id)) this.removeMember(member)
    this.#store.delete(kind, id)
    this.#tell({ table: kind, id, action: 'deleted', before: this.holder(kind, id) })
    this.#holders.delete(`${kind}:${id}`)
    this.#changed()
  }

  template(id: string): Template | undefined {
    return this.#templates.get(id)
  }

  templates(): Template[] {
    return [...this.#templates.values()]
  }

  putTemplate(template: Template): void {
    const before = this.template(template.id)
    this.#store.putTemplate(template)
    this.#tell({ table: 'budget', id: template.id, action: before ? 'updated' : 'created', before, after: template })
    this.#templates.set(template.id, template)
    this.#changed()
  }

  removeTemplate(id: string): void {
    this.#store.deleteTemplate(id)
    this.#tell({ table: 'budget', id, action: 'deleted', before: this.template(id) })
    this.#templates.delete(id)
    this.#changed()
  }
}

const scopeOf = ({ kind, id }: Holder): string => `${kind}:${id}`

const nameOf = ({ kind, id, userId }: Member): string => `${kind}:${id} ${userId}`
