/** Leave to use models that ask for it: asked for by a key, given for a time or refused by the operator, every step kept. */
import { randomBytes } from 'node:crypto'
import { type TellChange, tellNobody } from '../core/change.ts'
import { type Grant, type GrantState, isOpen, stateAt } from '../core/grant.ts'
import { expiryAfter, parsePeriod } from '../core/period.ts'
import { Refusal } from '../core/refusal.ts'
import type { GrantEvent, GrantQuery, GrantStore } from '../store/grants.ts'

const NONE: ReadonlyMap<string, Grant> = new Map()

/** Who does something: `master`, and in whose name (`litellm-changed-by`). */
export interface Actor {
  id: string
  changedBy?: string | undefined
}

export class Grants {
  readonly #store: GrantStore
  readonly #now: () => number
  /** Key → alias or pattern → the newest. Maps are replaced, never changed: a request keeps the one it began with. */
  readonly #ofKeys = new Map<string, ReadonlyMap<string, Grant>>()

  readonly #tell: TellChange

  /** @param tell told what each change was */
  constructor(store: GrantStore, now: () => number, tell: TellChange = tellNobody) {
    this.#store = store
    this.#tell = tell
    this.#now = now
    for (const grant of store.all()) this.#remember(grant)
  }

  #remember(grant: Grant): void {
    this.#ofKeys.set(grant.keyId, new Map(this.of(grant.keyId)).set(grant.alias, grant))
  }

  /** A key's newest for each alias or pattern. */
  of(keyId: string): ReadonlyMap<string, Grant> {
    return this.#ofKeys.get(keyId) ?? NONE
  }

  /**
   * @param alias what has to be granted @param duration as it was written; undefined: as long as the operator likes
   * @throws Refusal conflict where it is asked for or given already: a key has one open request for each model
   */
  ask(keyId: string, alias: string, reason: string, duration: string | undefined): Grant {
    const now = this.#now()
    const last = this.of(keyId).get(alias)
    if (last?.state === 'asked')
      throw new Refusal('conflict', `Leave for '${alias}' was asked for already (${last.id}) and is not decided yet.`)
    if (last && isOpen(last, now))
      throw new Refusal('conflict', `This key has leave for '${alias}' already, until ${iso(last.expiresAt)}.`)
    const grant: Grant = {
      ...{ id: randomBytes(8).toString('hex'), keyId, alias, state: 'asked', reason, duration, askedAt: now },
      ...{ decidedAt: undefined, decidedBy: undefined, expiresAt: undefined },
    }
    return this.#put(grant, { id: keyId }, { reason, duration: duration ?? null })
  }

  /**
   * Gives it, or gives it anew. @param life as it was written; undefined: as long as was asked for
   * @throws Refusal not_found, invalid_request
   */
  approve(id: string, life: string | undefined, actor: Actor): Grant {
    const grant = this.#current(id)
    const duration = life ?? grant.duration
    const period = duration === undefined ? undefined : parsePeriod(duration)
    if (!period)
      throw new Refusal(
        'invalid_request',
        'expires_in: say for how long (7d): the key has not said how long it asks for.',
        {
          param: 'expires_in',
        },
      )
    const expiresAt = expiryAfter(period, this.#now())
    return this.#decide({ ...grant, expiresAt }, 'given', actor, { expires_at: iso(expiresAt), expires_in: duration })
  }

  /** @throws Refusal not_found; conflict where it was decided already */
  refuse(id: string, reason: string | undefined, actor: Actor): Grant {
    const grant = this.#current(id)
    if (grant.state !== 'asked')
      throw new Refusal(
        'conflict',
        `It is ${stateAt(grant, this.#now())}: only what is asked for can be refused. To take it back, revoke it.`,
      )
    return this.#decide(grant, 'refused', actor, { reason: reason ?? null })
  }

  /** @throws Refusal not_found; conflict where nothing is given */
  revoke(id: string, reason: string | undefined, actor: Actor): Grant {
    const grant = this.#current(id)
    if (!isOpen(grant, this.#now()))
      throw new Refusal('conflict', `It is ${stateAt(grant, this.#now())}: only what is given can be taken back.`)
    return this.#decide(grant, 'ended', actor, { reason: reason ?? null })
  }

  /** A key is gone, and with it what it asked for and was given. */
  forget(keyId: string): void {
    for (const grant of this.of(keyId).values())
      if (grant.state === 'asked' || isOpen(grant, this.#now()))
        this.#decide(grant, 'ended', { id: 'master' }, { reason: 'the key was deleted' })
    this.#ofKeys.delete(keyId)
  }

  /** Newest first. */
  list(asked: Omit<GrantQuery, 'now'>): Grant[] {
    return this.#store.list({ ...asked, now: this.#now() })
  }

  events(asked: { grantId: string | undefined; before: number | undefined; limit: number }): GrantEvent[] {
    return this.#store.events(asked)
  }

  /** Of several for the same key and model only the newest can be decided. */
  #current(id: string): Grant {
    const grant = this.#store.get(id)
    if (!grant)
      throw new Refusal('not_found', `There is no grant '${id.slice(0, 100)}'. GET /grant/list lists them.`, {
        param: 'id',
      })
    const newest = this.of(grant.keyId).get(grant.alias)
    if (newest?.id !== id)
      throw new Refusal('conflict', newest ? `It is superseded by ${newest.id}.` : 'Its key was deleted.')
    return newest
  }

  #decide(grant: Grant, state: GrantState, actor: Actor, facts: Record<string, unknown>): Grant {
    return this.#put({ ...grant, state, decidedAt: this.#now(), decidedBy: actor.id }, actor, facts)
  }

  #put(grant: Grant, actor: Actor, facts: Record<string, unknown>): Grant {
    const { changedBy } = actor
    const told = { key: grant.keyId, model: grant.alias, ...facts, ...(changedBy ? { changed_by: changedBy } : {}) }
    this.#store.put(grant, { at: this.#now(), actor: actor.id, action: grant.state, facts: told })
    const before = this.of(grant.keyId).get(grant.alias)
    const isNew = before?.id !== grant.id
    this.#tell({
      ...{ table: 'grant', id: grant.id, action: isNew ? 'created' : 'updated', after: grant },
      ...(isNew ? {} : { before }),
    })
    this.#remember(grant)
    return grant
  }
}

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())
