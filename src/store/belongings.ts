/** What callers made at providers, each for its owner only: another's looks like none. */
import type { Store } from './open.ts'

export interface Belonging {
  owner: string
  kind: 'file' | 'batch'
  /** The provider's own id. */
  id: string
  /** Id of the target at which it lies. */
  target: string
  alias: string | undefined
  /** The provider's object as it was last seen. */
  facts: Record<string, unknown>
  /** ms since the epoch. */
  createdAt: number
}

type Row = Omit<Belonging, 'alias' | 'facts'> & { alias: string | null; facts: string }

const COLUMNS = 'owner, kind, id, target, alias, facts, created_at AS createdAt'

export class Belongings {
  readonly #put
  readonly #get
  readonly #list
  readonly #delete
  readonly #settle
  readonly #settled

  constructor({ sqlite }: Store) {
    this.#put = sqlite.prepare(
      `INSERT INTO belongings VALUES (?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (owner, kind, id) DO UPDATE SET facts = excluded.facts`,
    )
    this.#get = sqlite.prepare<unknown[], Row>(
      `SELECT ${COLUMNS} FROM belongings WHERE owner = ? AND kind = ? AND id = ?`,
    )
    const list = (compare: '<' | '>', order: 'DESC' | 'ASC') =>
      sqlite.prepare<unknown[], Row>(
        `SELECT ${COLUMNS} FROM belongings WHERE owner = :owner AND kind = :kind
         AND (:purpose IS NULL OR facts ->> 'purpose' = :purpose)
         AND (:after IS NULL OR (created_at, id) ${compare} (SELECT created_at, id FROM belongings WHERE owner = :owner AND kind = :kind AND id = :after))
         ORDER BY created_at ${order}, id ${order} LIMIT :limit`,
      )
    this.#list = { newest: list('<', 'DESC'), oldest: list('>', 'ASC') }
    this.#delete = sqlite.prepare('DELETE FROM belongings WHERE owner = ? AND kind = ? AND id = ?')
    this.#settle = sqlite.prepare(
      "UPDATE belongings SET settled = 1 WHERE owner = ? AND kind = 'batch' AND id = ? AND settled = 0",
    )
    this.#settled = sqlite
      .prepare<[string, string], number>("SELECT settled FROM belongings WHERE owner = ? AND kind = 'batch' AND id = ?")
      .pluck()
  }

  /** Remembers it; of one that is known only what is seen of it is new. */
  put({ owner, kind, id, target, alias, facts, createdAt }: Belonging): void {
    this.#put.run(owner, kind, id, target, alias ?? null, JSON.stringify(facts), createdAt)
  }

  get(owner: string, kind: Belonging['kind'], id: string): Belonging | undefined {
    const row = this.#get.get(owner, kind, id)
    return row && read(row)
  }

  list(
    owner: string,
    kind: Belonging['kind'],
    page: { after: string | undefined; limit: number; oldest: boolean; purpose: string | undefined },
  ): Belonging[] {
    const { after = null, purpose = null, limit, oldest } = page
    return this.#list[oldest ? 'oldest' : 'newest'].all({ owner, kind, after, purpose, limit }).map(read)
  }

  delete(owner: string, kind: Belonging['kind'], id: string): void {
    this.#delete.run(owner, kind, id)
  }

  /** Marks a batch as charged. Whether it was not before. */
  settle(owner: string, id: string): boolean {
    return this.#settle.run(owner, id).changes > 0
  }

  isSettled(owner: string, id: string): boolean {
    return this.#settled.get(owner, id) === 1
  }
}

const read = (row: Row): Belonging => ({
  ...row,
  alias: row.alias ?? undefined,
  facts: JSON.parse(row.facts) as Record<string, unknown>,
})
