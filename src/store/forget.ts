/**
 * Takes a person out of the tables: what he left is deleted, and where he is one of those who paid, another name stands in
 * place of his. Numbers stay as they are, so that every sum is what it was.
 */
import type { Payer } from '../core/scope.ts'
import type { Store } from './open.ts'

export interface Person {
  kind: 'user' | 'customer'
  id: string
  /** What stands in his place. */
  pseudonym: string
  /** Ids of his keys, also of those that are gone. */
  keys: readonly string[]
  /** Further names of his that may be a tag: his address. */
  names: readonly string[]
}

/** Keys that are gone by whom they were. */
export const formerKeysOf = ({ sqlite }: Pick<Store, 'sqlite'>, userId: string): string[] =>
  sqlite.prepare<[string], string>('SELECT DISTINCT key_id FROM old_secrets WHERE user_id = ?').pluck().all(userId)

/** Ids of keys that have named a customer; null: the master key. */
export const keysNaming = ({ sqlite }: Pick<Store, 'sqlite'>, customer: string): (string | null)[] =>
  sqlite.prepare<[string], string | null>('SELECT DISTINCT key FROM payers WHERE customer = ?').pluck().all(customer)

/** @returns how many rows of which table were deleted or changed */
export function forgetIn({ sqlite }: Pick<Store, 'sqlite'>, person: Person): Record<string, number> {
  const { kind, id, pseudonym, keys } = person
  const tags = [id, ...person.names]
  /** What stands in place of a tag, in a payer as in its scope. */
  const instead = (tag: string) => (tag === id ? pseudonym : `${pseudonym}-${tags.indexOf(tag)}`)
  const counts: Record<string, number> = {}
  const run = (table: string, sql: string, ...params: unknown[]) => {
    counts[table] = (counts[table] ?? 0) + sqlite.prepare(sql).run(...params).changes
  }
  const inKeys = `IN (SELECT value FROM json_each(?))`
  const keyList = JSON.stringify(keys)
  const owners = JSON.stringify(keys.map((key) => `key:${key}`))
  sqlite
    .transaction(() => {
      const rows = sqlite
        .prepare<unknown[], { id: number; payer: string }>(
          `SELECT id, payer FROM payers WHERE ${kind} = ? OR EXISTS (SELECT 1 FROM json_each(payers.tags) WHERE value IN (SELECT value FROM json_each(?)))`,
        )
        .all(id, JSON.stringify(tags))
      for (const row of rows) {
        const payer = JSON.parse(row.payer) as Payer
        const changed: Payer = {
          ...payer,
          ...(payer[kind] === id ? { [kind]: pseudonym } : {}),
          tags: payer.tags.map((tag) => (tags.includes(tag) ? instead(tag) : tag)).sort(),
        }
        run(
          'payers',
          `UPDATE payers SET payer = ?, ${kind} = ?, tags = ? WHERE id = ?`,
          ...[JSON.stringify(changed), changed[kind] ?? null, JSON.stringify(changed.tags), row.id],
        )
      }
      run('words', 'UPDATE words SET word = ? WHERE word = ?', `${kind}:${pseudonym}`, `${kind}:${id}`)
      for (const tag of tags)
        run('words', 'UPDATE words SET word = ? WHERE word = ?', `tag:${instead(tag)}`, `tag:${tag}`)
      run('savings', 'UPDATE savings SET scope = ? WHERE scope = ?', `${kind}:${pseudonym}`, `${kind}:${id}`)
      run('contents', `DELETE FROM contents WHERE ${kind} = ? OR key ${inKeys}`, id, keyList)
      run('audit_salts', 'DELETE FROM audit_salts WHERE person = ?', `${kind}:${id}`)
      run('holders', 'DELETE FROM holders WHERE kind = ? AND id = ?', kind, id)
      if (kind === 'customer') return
      run('responses', `DELETE FROM responses WHERE owner ${inKeys}`, owners)
      run('belongings', `DELETE FROM belongings WHERE owner ${inKeys}`, owners)
      run(
        'old_secrets',
        `UPDATE old_secrets SET alias = NULL, user_id = ? WHERE user_id = ? OR key_id ${inKeys}`,
        pseudonym,
        id,
        keyList,
      )
      run('grants', `UPDATE grants SET reason = NULL WHERE key_id ${inKeys} AND reason IS NOT NULL`, keyList)
      run(
        'grant_events',
        `UPDATE grant_events SET facts = json_remove(facts, '$.reason') WHERE grant_id IN (SELECT id FROM grants WHERE key_id ${inKeys})`,
        keyList,
      )
      for (const table of ['logins', 'passkeys', 'sessions', 'invitations', 'identities', 'members'])
        run(table, `DELETE FROM ${table} WHERE user_id = ?`, id)
    })
    .immediate()
  return Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0))
}
