/** Organisations, teams, projects, users, customers, tags, models and providers with their budgets, and templates, at rest. */
import { and, eq } from 'drizzle-orm'
import { holders, members, templates } from '../../drizzle/sqlite/schema.ts'
import type { BudgetTerms } from '../core/budget.ts'
import type { Holder, HolderKind, Member, Template } from '../core/holder.ts'
import { readRole } from '../core/role.ts'
import type { Store } from './open.ts'

export class Holders {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  all(): Holder[] {
    return this.#store.db.select().from(holders).all().map(fromRow)
  }

  put(holder: Holder): void {
    const row = toRow(holder)
    const target = [holders.kind, holders.id]
    this.#store.db.insert(holders).values(row).onConflictDoUpdate({ target, set: row }).run()
  }

  delete(kind: HolderKind, id: string): void {
    this.#store.db
      .delete(holders)
      .where(and(eq(holders.kind, kind), eq(holders.id, id)))
      .run()
  }

  members(): Member[] {
    return this.#store.db.select().from(members).all() as Member[]
  }

  putMember(member: Member): void {
    const target = [members.kind, members.id, members.userId]
    this.#store.db.insert(members).values(member).onConflictDoUpdate({ target, set: member }).run()
  }

  deleteMember({ kind, id, userId }: Member): void {
    this.#store.db
      .delete(members)
      .where(and(eq(members.kind, kind), eq(members.id, id), eq(members.userId, userId)))
      .run()
  }

  templates(): Template[] {
    const rows = this.#store.db.select().from(templates).all()
    return rows.map((row) => ({ ...row, ...readTerms(row.terms), limits: JSON.parse(row.limits) }))
  }

  putTemplate(template: Template): void {
    const { id, limits, createdAt, updatedAt } = template
    const row = { id, terms: writeTerms(template), limits: JSON.stringify(limits), createdAt, updatedAt }
    this.#store.db.insert(templates).values(row).onConflictDoUpdate({ target: templates.id, set: row }).run()
  }

  deleteTemplate(id: string): void {
    this.#store.db.delete(templates).where(eq(templates.id, id)).run()
  }
}

type Row = typeof holders.$inferSelect

const fromRow = (row: Row): Holder => ({
  ...readTerms(row.terms),
  kind: row.kind as HolderKind,
  id: row.id,
  name: row.name ?? undefined,
  organizationId: row.organizationId ?? undefined,
  teamId: row.teamId ?? undefined,
  role: row.role === null ? undefined : readRole(row.role),
  models: JSON.parse(row.models),
  limits: JSON.parse(row.limits),
  blocked: row.blocked !== 0,
  metadata: JSON.parse(row.metadata),
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
})

const toRow = (holder: Holder): Row => ({
  kind: holder.kind,
  id: holder.id,
  name: holder.name ?? null,
  organizationId: holder.organizationId ?? null,
  teamId: holder.teamId ?? null,
  role: holder.role ?? null,
  models: JSON.stringify(holder.models),
  limits: JSON.stringify(holder.limits),
  terms: writeTerms(holder),
  blocked: holder.blocked ? 1 : 0,
  metadata: JSON.stringify(holder.metadata),
  createdAt: holder.createdAt,
  updatedAt: holder.updatedAt,
})

/** The terms of a budget alone. */
export function termsIn(terms: BudgetTerms): BudgetTerms {
  const { maxBudget, softBudget, period, budgetDuration, mode, windows, perModel, raise, budgetId } = terms
  return { maxBudget, softBudget, period, budgetDuration, mode, windows, perModel, raise, budgetId }
}

/** As they are kept: what is not said is not there. */
const writeTerms = (terms: BudgetTerms): string => JSON.stringify(termsIn(terms))

const readTerms = (text: string): BudgetTerms => JSON.parse(text) as BudgetTerms
