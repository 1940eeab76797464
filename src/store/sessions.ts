/** Who is logged in, at rest. All of them are in memory as well (auth/login/sessions.ts). */
import { eq } from 'drizzle-orm'
import { sessions } from '../../drizzle/sqlite/schema.ts'
import type { Store } from './open.ts'

export type SessionRow = typeof sessions.$inferSelect

export class SessionStore {
  readonly #db: Store['db']

  constructor({ db }: Store) {
    this.#db = db
  }

  all(): SessionRow[] {
    return this.#db.select().from(sessions).all()
  }

  put(row: SessionRow): void {
    this.#db.insert(sessions).values(row).onConflictDoUpdate({ target: sessions.digest, set: row }).run()
  }

  delete(digest: string): void {
    this.#db.delete(sessions).where(eq(sessions.digest, digest)).run()
  }
}
