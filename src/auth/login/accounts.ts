/** What users of this gateway log in with: made, changed, checked and taken away. */
import { randomBytes } from 'node:crypto'
import type { TellChange } from '../../core/change.ts'
import { Refusal } from '../../core/refusal.ts'
import type { Passkey } from './passkeys.ts'
import { checkNewPassword, type Passwords } from './passwords.ts'
import { newRecoveryCodes, plainRecoveryCode } from './recovery.ts'
import type { Seal, Tickets } from './tickets.ts'
import { newTotpSecret, stepOf, totpUri } from './totp.ts'

/** store/logins.ts. */
export interface LoginRow {
  userId: string
  password: string | null
  totp: Buffer | null
  totpStep: number
  recovery: string
  handle: string
  updatedAt: number
}

export interface Invitation {
  digest: string
  userId: string
  createdBy: string
  createdAt: number
  expiresAt: number
  acceptedAt: number | null
}

export interface LoginShelf {
  get(userId: string): LoginRow | undefined
  put(row: LoginRow): void
  takeStep(userId: string, step: number): boolean
  passkeys(userId: string): Passkey[]
  passkey(id: string): Passkey | undefined
  addPasskey(row: Passkey): boolean
  usePasskey(id: string, counter: number, at: number): void
  removePasskey(userId: string, id: string): boolean
  removePasskeys(userId: string): void
  invite(row: Invitation): void
  invitation(digest: string): Invitation | undefined
  acceptInvitation(digest: string, at: number): void
  withdraw(digest: string): boolean
  identity(issuer: string, subject: string): string | undefined
  linkIdentity(issuer: string, subject: string, userId: string, at: number): void
  users(): Set<string>
  forget(userId: string): void
}

export interface AccountHouse {
  shelf: LoginShelf
  passwords: Passwords
  seal: Seal
  tickets: Tickets
  /** A keyed digest. */
  digestOf(text: string): string
  /** Told what changes in a login: which parts, and nothing of what they are. */
  tell: TellChange
  now(): number
}

/** Somebody looks for his telephone. */
const ENROL_MS = 900_000
const MOST_PASSKEYS = 20

export class Accounts {
  readonly #house: AccountHouse

  constructor(house: AccountHouse) {
    this.#house = house
  }

  #row(userId: string): LoginRow {
    return (
      this.#house.shelf.get(userId) ?? {
        ...{ userId, password: null, totp: null, totpStep: 0, recovery: '[]' },
        ...{ handle: randomBytes(32).toString('base64url'), updatedAt: this.#house.now() },
      }
    )
  }

  #put(userId: string, changes: Partial<LoginRow>): void {
    this.#house.shelf.put({ ...this.#row(userId), ...changes, updatedAt: this.#house.now() })
    const parts = Object.entries(changes).map(
      ([part, value]) => `${part} ${value === null || value === '[]' ? 'removed' : 'set'}`,
    )
    if (parts.length > 0) this.#tell(userId, parts)
  }

  #tell(userId: string, parts: readonly string[]): void {
    this.#house.tell({ table: 'login', id: userId, action: 'updated', after: { parts } })
  }

  /** The number that a user's passkeys know him by; made when it is first asked for. */
  handleOf(userId: string): string {
    if (!this.#house.shelf.get(userId)) this.#put(userId, {})
    return this.#row(userId).handle
  }

  passwordOf(userId: string): string | undefined {
    return this.#house.shelf.get(userId)?.password ?? undefined
  }

  passkeysOf(userId: string): Passkey[] {
    return this.#house.shelf.passkeys(userId)
  }

  hasTotp(userId: string): boolean {
    return (this.#house.shelf.get(userId)?.totp ?? null) !== null
  }

  /** Whether he has something beside a password. */
  hasFactor(userId: string): boolean {
    return this.hasTotp(userId) || this.passkeysOf(userId).length > 0
  }

  /** How many recovery codes are left. */
  recoveryLeft(userId: string): number {
    return this.#codesOf(userId).length
  }

  #codesOf(userId: string): string[] {
    return JSON.parse(this.#house.shelf.get(userId)?.recovery ?? '[]')
  }

  /** @throws Refusal where it is none to take */
  async setPassword(userId: string, password: string): Promise<void> {
    checkNewPassword(password, userId)
    const hash = await this.#house.passwords.hash(password)
    this.#put(userId, { password: hash })
  }

  /** A secret for an app: nothing is kept until a code of it is shown. */
  beginTotp(userId: string): { secret: string; uri: string; ticket: string } {
    const secret = newTotpSecret()
    const ticket = this.#house.tickets.issue('totp', { secret, userId }, ENROL_MS)
    return { secret, uri: totpUri(secret, userId, 'Tollgate'), ticket }
  }

  /** @throws Refusal where the code is not of it */
  confirmTotp(userId: string, ticket: string, code: string): void {
    const { tickets, seal, now } = this.#house
    const begun = tickets.take<{ secret: string; userId: string }>('totp', ticket)
    if (!begun || begun.userId !== userId)
      throw new Refusal('invalid_request', 'This was begun too long ago, or is done already. Begin anew.', {
        param: 'ticket',
      })
    const step = stepOf(code, begun.secret, now())
    if (step === undefined)
      throw new Refusal(
        'invalid_request',
        'This is not the code that the app should show now. Begin anew, and look at the clocks of both.',
        { param: 'code' },
      )
    this.#put(userId, { totp: seal.seal(begun.secret, userId), totpStep: step })
  }

  /** Whether it is the code of now, for the first time. */
  takeTotp(userId: string, code: string): boolean {
    const { shelf, seal, now } = this.#house
    const row = shelf.get(userId)
    if (!row?.totp) return false
    const step = stepOf(code, seal.open(row.totp, userId), now())
    return step !== undefined && shelf.takeStep(userId, step)
  }

  removeTotp(userId: string): void {
    this.#put(userId, { totp: null })
    this.#dropRecovery(userId)
  }

  /** @throws Refusal */
  addPasskey(passkey: Passkey): void {
    const { shelf } = this.#house
    if (shelf.passkeys(passkey.userId).length >= MOST_PASSKEYS)
      throw new Refusal('invalid_request', `A user may have ${MOST_PASSKEYS} passkeys. Delete one first.`)
    if (!shelf.addPasskey(passkey)) throw new Refusal('conflict', 'This passkey is registered already.')
    this.#tell(passkey.userId, ['passkey added'])
  }

  removePasskey(userId: string, id: string): void {
    if (!this.#house.shelf.removePasskey(userId, id))
      throw new Refusal('not_found', 'You have no such passkey.', { param: 'id' })
    this.#tell(userId, ['passkey removed'])
    this.#dropRecovery(userId)
  }

  /** Recovery codes stand in for a second factor: without one they open nothing. */
  #dropRecovery(userId: string): void {
    if (!this.hasFactor(userId)) this.#put(userId, { recovery: '[]' })
  }

  /** New ones; those before are over. Shown once. */
  renewRecovery(userId: string): string[] {
    const codes = newRecoveryCodes()
    this.#put(userId, { recovery: JSON.stringify(codes.map((code) => this.#recoveryDigest(userId, code))) })
    return codes
  }

  #recoveryDigest(userId: string, code: string): string {
    return this.#house.digestOf(`recovery ${userId} ${plainRecoveryCode(code)}`)
  }

  /** Whether it is one that was not used. */
  takeRecovery(userId: string, code: string): boolean {
    const codes = this.#codesOf(userId)
    const digest = this.#recoveryDigest(userId, code)
    if (!codes.includes(digest)) return false
    this.#put(userId, { recovery: JSON.stringify(codes.filter((one) => one !== digest)) })
    return true
  }

  /** Takes every second factor away: somebody has lost them all. */
  resetFactors(userId: string): void {
    this.#house.shelf.removePasskeys(userId)
    this.#tell(userId, ['passkeys removed'])
    this.#put(userId, { totp: null, recovery: '[]' })
  }

  /** All of whom something is known here. */
  users(): Set<string> {
    return this.#house.shelf.users()
  }

  forget(userId: string): void {
    this.#house.shelf.forget(userId)
  }

  /** @returns the invitation, and what stands in its link: shown once */
  invite(userId: string, createdBy: string, forMs: number): { invitation: Invitation; token: string } {
    const token = randomBytes(32).toString('base64url')
    const createdAt = this.#house.now()
    const invitation: Invitation = {
      ...{ digest: this.#invitationDigest(token), userId, createdBy, createdAt, acceptedAt: null },
      expiresAt: createdAt + forMs,
    }
    this.#house.shelf.invite(invitation)
    this.#house.tell({ table: 'invitation', id: userId, action: 'created', after: { expiresAt: invitation.expiresAt } })
    return { invitation, token }
  }

  #invitationDigest(token: string): string {
    return this.#house.digestOf(`invitation ${token}`)
  }

  invitation(token: string): Invitation | undefined {
    return this.#house.shelf.invitation(this.#invitationDigest(token))
  }

  withdraw(token: string): boolean {
    const found = this.invitation(token)
    if (found) this.#house.tell({ table: 'invitation', id: found.userId, action: 'deleted' })
    return this.#house.shelf.withdraw(this.#invitationDigest(token))
  }

  /** Sets the password that it was for. @returns whose @throws Refusal where it is over, or used */
  async claim(token: string, userId: string | undefined, password: string): Promise<string> {
    const { shelf, now } = this.#house
    const isOpen = () => {
      const found = this.invitation(token)
      if (!found || found.acceptedAt !== null || found.expiresAt <= now()) return undefined
      return userId === undefined || userId === found.userId ? found : undefined
    }
    const over = () =>
      new Refusal('invalid_credentials', 'This invitation is over, or used, or never was. Ask for a new one.', {
        param: 'invitation_link',
      })
    const found = isOpen()
    if (!found) throw over()
    checkNewPassword(password, found.userId)
    const hash = await this.#house.passwords.hash(password)
    // Somebody else may have used it while this one was hashed.
    if (!isOpen()) throw over()
    shelf.acceptInvitation(found.digest, now())
    this.#put(found.userId, { password: hash })
    return found.userId
  }
}
