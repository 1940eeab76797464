/**
 * Who is logged in. What the browser has is a random number, of which a digest alone is kept; all are in memory, so that one
 * that is ended is over with the next request.
 */

import { randomBytes } from 'node:crypto'
import type { TellChange } from '../../core/change.ts'

/** store/sessions.ts. */
export interface Session {
  digest: string
  /** To speak of it. */
  id: string
  userId: string
  /** `password`, `passkey`, `sso:<id>`. */
  way: string
  /** 1: a second factor was shown. */
  mfa: number
  createdAt: number
  provedAt: number
  seenAt: number
  address: string | null
  agent: string | null
}

export interface SessionShelf {
  all(): Session[]
  put(session: Session): void
  delete(digest: string): void
}

export interface SessionRules {
  idleMs: number
  longestMs: number
  /** A keyed digest. */
  digestOf(text: string): string
  /** Told who logs in, and whose logins are ended. */
  tell?: TellChange
  now(): number
}

/** Of one user: the one that was unused longest goes. */
const MOST_OF_ONE = 20
/** How often it is noted on disk that a session is in use, ms. */
const NOTE_EVERY = 60_000
const LONGEST_AGENT = 200

export class Sessions {
  readonly #shelf: SessionShelf
  readonly #rules: SessionRules
  readonly #all = new Map<string, Session>()

  constructor(shelf: SessionShelf, rules: SessionRules) {
    this.#shelf = shelf
    this.#rules = rules
    for (const session of shelf.all()) this.#all.set(session.digest, session)
    this.#sweep()
  }

  /** @returns what the browser keeps: shown once */
  start(
    facts: Pick<Session, 'userId' | 'way' | 'mfa'> & { address: string | undefined; agent: string | null },
  ): string {
    this.#sweep()
    const others = this.of(facts.userId)
    for (const old of others.slice(MOST_OF_ONE - 1)) this.#drop(old)
    const at = this.#rules.now()
    const id = randomBytes(9).toString('base64url')
    const { userId, way, mfa } = facts
    this.#rules.tell?.({ table: 'session', id, action: 'created', after: { userId, way, mfa } })
    return this.#open({
      ...{ digest: '', id, userId: facts.userId, way: facts.way, mfa: facts.mfa },
      ...{ createdAt: at, provedAt: at, seenAt: at, address: facts.address ?? null },
      agent: facts.agent?.slice(0, LONGEST_AGENT) ?? null,
    })
  }

  #open(session: Session): string {
    const secret = randomBytes(32).toString('base64url')
    const kept = { ...session, digest: this.#digestOf(secret) }
    this.#all.set(kept.digest, kept)
    this.#shelf.put(kept)
    return secret
  }

  /** The same login under another number: what was known of the old one is worth nothing. */
  rotate(session: Session, mfa: number): string {
    this.#drop(session)
    const at = this.#rules.now()
    return this.#open({ ...session, mfa, provedAt: at, seenAt: at })
  }

  /** undefined: there is none, or it is over. */
  find(secret: string): Session | undefined {
    if (secret.length !== 43) return undefined
    const session = this.#all.get(this.#digestOf(secret))
    if (!session) return undefined
    if (this.#isOver(session)) {
      this.#drop(session)
      return undefined
    }
    const at = this.#rules.now()
    const isNoted = at - session.seenAt < NOTE_EVERY
    session.seenAt = at
    if (!isNoted) this.#shelf.put(session)
    return session
  }

  /** What unsafe requests have to bring beside the cookie: made of the cookie's own value, so that it ends with it. */
  tokenOf(secret: string): string {
    return this.#rules.digestOf(`csrf ${secret}`)
  }

  /** ms since the epoch, if nothing is asked until then. */
  endOf({ createdAt, seenAt }: Session): number {
    return Math.min(createdAt + this.#rules.longestMs, seenAt + this.#rules.idleMs)
  }

  /** Newest use first. */
  of(userId: string): Session[] {
    const his = [...this.#all.values()].filter((session) => session.userId === userId && !this.#isOver(session))
    return his.sort((a, b) => b.seenAt - a.seenAt)
  }

  users(): Set<string> {
    return new Set([...this.#all.values()].map(({ userId }) => userId))
  }

  /** @param which of them; all without @returns how many */
  end(userId: string, which: (session: Session) => boolean = () => true): number {
    const ended = [...this.#all.values()].filter((session) => session.userId === userId && which(session))
    for (const session of ended) {
      this.#drop(session)
      this.#rules.tell?.({ table: 'session', id: session.id, action: 'deleted', before: { userId, way: session.way } })
    }
    return ended.length
  }

  #digestOf(secret: string): string {
    return this.#rules.digestOf(`session ${secret}`)
  }

  #isOver(session: Session): boolean {
    return this.endOf(session) <= this.#rules.now()
  }

  #drop({ digest }: Session): void {
    this.#all.delete(digest)
    this.#shelf.delete(digest)
  }

  #sweep(): void {
    for (const session of this.#all.values()) if (this.#isOver(session)) this.#drop(session)
  }
}
