/** How users log in, at rest: passwords, second factors, passkeys, invitations, accounts elsewhere. */
import { and, eq, isNotNull, lt, sql } from 'drizzle-orm'
import { identities, invitations, logins, passkeys } from '../../drizzle/sqlite/schema.ts'
import type { Store } from './open.ts'
import type { Seal } from './responses.ts'

export type LoginRow = typeof logins.$inferSelect
export type PasskeyRow = typeof passkeys.$inferSelect
export type InvitationRow = typeof invitations.$inferSelect

/** Rows that are sealed anew at once. */
const PORTION = 200

export class Logins {
  readonly #db: Store['db']

  constructor({ db }: Store) {
    this.#db = db
  }

  get(userId: string): LoginRow | undefined {
    return this.#db.select().from(logins).where(eq(logins.userId, userId)).get()
  }

  ofHandle(handle: string): LoginRow | undefined {
    return this.#db.select().from(logins).where(eq(logins.handle, handle)).get()
  }

  put(row: LoginRow): void {
    this.#db.insert(logins).values(row).onConflictDoUpdate({ target: logins.userId, set: row }).run()
  }

  /**
   * Notes a code's step as used, if none as late was: the check and the note are one statement, so that a code never
   * counts twice. @returns whether it counts
   */
  takeStep(userId: string, step: number): boolean {
    const later = and(eq(logins.userId, userId), lt(logins.totpStep, step))
    return this.#db.update(logins).set({ totpStep: step }).where(later).run().changes === 1
  }

  /** Seals a portion anew that is under an older key. @returns how many @throws Error where that key is not here */
  reseal(seal: Seal): number {
    const { beginning } = seal
    const isOlder = sql`substr(${logins.totp}, 1, ${beginning.length}) <> ${beginning}`
    const { userId, totp } = logins
    const older = and(isNotNull(totp), isOlder)
    const rows = this.#db.select({ userId, totp }).from(logins).where(older).limit(PORTION).all()
    for (const row of rows) {
      const again = seal.seal(seal.open(row.totp as Buffer, row.userId), row.userId)
      this.#db.update(logins).set({ totp: again }).where(eq(userId, row.userId)).run()
    }
    return rows.length
  }

  passkeys(userId: string): PasskeyRow[] {
    return this.#db.select().from(passkeys).where(eq(passkeys.userId, userId)).all()
  }

  passkey(id: string): PasskeyRow | undefined {
    return this.#db.select().from(passkeys).where(eq(passkeys.id, id)).get()
  }

  /** @returns whether it is new */
  addPasskey(row: PasskeyRow): boolean {
    return this.#db.insert(passkeys).values(row).onConflictDoNothing().run().changes === 1
  }

  usePasskey(id: string, counter: number, usedAt: number): void {
    this.#db.update(passkeys).set({ counter, usedAt }).where(eq(passkeys.id, id)).run()
  }

  removePasskey(userId: string, id: string): boolean {
    const his = and(eq(passkeys.userId, userId), eq(passkeys.id, id))
    return this.#db.delete(passkeys).where(his).run().changes === 1
  }

  removePasskeys(userId: string): void {
    this.#db.delete(passkeys).where(eq(passkeys.userId, userId)).run()
  }

  /** One is open for a user: an older one is over. */
  invite(row: InvitationRow): void {
    this.#db.transaction(
      (tx) => {
        tx.delete(invitations).where(eq(invitations.userId, row.userId)).run()
        tx.insert(invitations).values(row).run()
      },
      { behavior: 'immediate' },
    )
  }

  invitation(digest: string): InvitationRow | undefined {
    return this.#db.select().from(invitations).where(eq(invitations.digest, digest)).get()
  }

  acceptInvitation(digest: string, acceptedAt: number): void {
    this.#db.update(invitations).set({ acceptedAt }).where(eq(invitations.digest, digest)).run()
  }

  /** @returns whether there was one */
  withdraw(digest: string): boolean {
    return this.#db.delete(invitations).where(eq(invitations.digest, digest)).run().changes > 0
  }

  identity(issuer: string, subject: string): string | undefined {
    const it = and(eq(identities.issuer, issuer), eq(identities.subject, subject))
    return this.#db.select({ userId: identities.userId }).from(identities).where(it).get()?.userId
  }

  linkIdentity(issuer: string, subject: string, userId: string, createdAt: number): void {
    const target = [identities.issuer, identities.subject]
    const row = { issuer, subject, userId, createdAt }
    this.#db.insert(identities).values(row).onConflictDoUpdate({ target, set: row }).run()
  }

  /** All users of whom something is known here. */
  users(): Set<string> {
    const of = [logins, passkeys, invitations, identities].flatMap((table) =>
      this.#db.selectDistinct({ userId: table.userId }).from(table).all(),
    )
    return new Set(of.map(({ userId }) => userId))
  }

  /** Somebody is gone: whoever gets his name later has nothing of his. */
  forget(userId: string): void {
    this.#db.transaction(
      (tx) => {
        for (const table of [logins, passkeys, invitations, identities])
          tx.delete(table).where(eq(table.userId, userId)).run()
      },
      { behavior: 'immediate' },
    )
  }
}
