/** Forgetting somebody: what names him goes, what was spent stays. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Change } from '../core/change.ts'
import type { Key } from '../core/key.ts'
import { withoutNames } from '../core/redact-names.ts'
import { Refusal } from '../core/refusal.ts'
import type { Person } from '../store/forget.ts'
import { name, readBody } from './fields.ts'
import type { Register } from './register.ts'

type Json = Record<string, unknown>

export const forgetting = z.object({ user_id: name(256).nullish(), customer_id: name(256).nullish() })

interface PrivacyHouse {
  register: Register
  keys(): readonly Key[]
  removeKeys(ids: readonly string[]): void
  /** Of keys that are gone. */
  formerKeysOf(userId: string): string[]
  /** Everything that names him in the tables. @returns rows by table */
  forgetIn(person: Person): Record<string, number>
  /** What the ledger remembers of names. */
  forgetNames(scope: string): void
  /** In the audit of changes. @returns entries */
  redact(names: readonly string[], clean: (value: unknown) => unknown): number
  /** From now on he has another number in the audit. */
  forgetNumber(kind: Person['kind'], id: string): void
  /** Alerts about him, and what he usually does. @returns rows by table */
  forgetAlerts(subjects: readonly string[], clean: (value: unknown) => unknown): Record<string, number>
  /** Keys that have named a customer; null: the master key. */
  keysNaming(customer: string): readonly (string | null)[]
  /** Answers that are kept for him. @returns how many @throws Error where their place can't be reached */
  forgetAnswers(tenants: readonly string[]): Promise<number>
  /** What is being written down of this very request. */
  rewrite(clean: (change: Change) => Change): void
  tell(change: Change): void
}

export interface PrivacyRoutes {
  forget(body: Json): Promise<Json>
}

export function privacyRoutes(house: PrivacyHouse): PrivacyRoutes {
  return {
    async forget(body) {
      const { user_id: user, customer_id: customer } = readBody(forgetting, body)
      const id = user ?? customer
      if (!id || (user && customer))
        throw new Refusal('invalid_request', 'Say whom: user_id, or customer_id.', { param: 'user_id' })
      const kind = user ? 'user' : 'customer'
      const { register } = house
      if (kind === 'user' && register.holder('user', id) === undefined && register.known('user', id) !== undefined)
        throw new Refusal('conflict', `The user '${id}' stands in the configuration file: take him out there first.`, {
          status: 400,
          param: 'user_id',
        })
      const holder = register.holder(kind, id)
      const his = kind === 'user' ? house.keys().filter((key) => key.userId === id) : []
      const former = kind === 'user' ? house.formerKeysOf(id) : []
      const address = holder?.metadata.user_email
      const further = [holder?.name, typeof address === 'string' ? address : undefined].filter(
        (one) => one !== undefined,
      )
      const aliases = his.flatMap(({ name: alias }) => alias ?? [])
      const pseudonym = `forgotten-${randomBytes(6).toString('hex')}`
      const clean = withoutNames([id, ...further, ...aliases], pseudonym)

      house.removeKeys(his.map((key) => key.id))
      if (holder) register.remove(kind, id)
      const keys = [...new Set([...his.map((key) => key.id), ...former])]
      const keyScopes = keys.map((key) => `key:${key}`)
      const tenants =
        kind === 'user'
          ? [`user:${id}`, ...keyScopes]
          : house.keysNaming(id).map((key) => `${key === null ? 'master' : `key:${key}`} customer:${id}`)
      const changed = house.forgetIn({ kind, id, pseudonym, keys, names: further })
      const scopes = [`${kind}:${id}`, ...[id, ...further].map((tag) => `tag:${tag}`)]
      for (const scope of scopes) house.forgetNames(scope)
      house.forgetNumber(kind, id)
      const alerts = house.forgetAlerts([...scopes, ...keyScopes], clean)
      const answers = await house.forgetAnswers(tenants).catch((cause) => String(cause))
      const entries = house.redact([id, ...further, ...aliases], clean)
      house.rewrite((change) => ({
        ...change,
        id: String(clean(change.id)),
        before: clean(change.before) as object | undefined,
        after: clean(change.after) as object | undefined,
      }))
      const removed = { ...(holder ? { holders: 1 } : {}), ...(his.length > 0 ? { keys: his.length } : {}), ...changed }
      const also = { ...alerts, audit_details: entries, kept_answers: typeof answers === 'number' ? answers : 0 }
      const told = { ...removed, ...Object.fromEntries(Object.entries(also).filter(([, rows]) => rows > 0)) }
      house.tell({ table: kind, id: pseudonym, action: 'forgotten', after: told })
      return {
        pseudonym,
        rows: told,
        kept: 'What was spent, under the pseudonym; entries of the audit, in which nobody can tell any more that he was meant.',
        elsewhere: [
          ...(changed.belongings
            ? [
                `${changed.belongings} files and batches may still lie at their providers, where only their owner could delete them.`,
              ]
            : []),
          ...(typeof answers === 'string'
            ? [`Answers that are kept for him could not be thrown away, and stay until they are over: ${answers}`]
            : []),
          'Copies of the database (before-migration-*.sqlite, backups), the log, the access log, and what was sent to syslog or elsewhere, are not changed.',
        ],
      }
    },
  }
}
