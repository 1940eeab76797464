/** Makes, changes and removes virtual keys, at rest and in the snapshot that requests are decided by. */
import { randomBytes } from 'node:crypto'
import { actionOf, type TellChange, tellNobody } from '../core/change.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import type { Digests, Keys } from '../store/keys.ts'
import { newSecret } from '../store/keys.ts'
import type { OldSecret, OldSecrets } from '../store/old-secrets.ts'

export type NewKey = Omit<Key, 'id' | 'hint' | 'createdAt' | 'updatedAt'>

/** Secrets of one key that go on beside its own; the oldest ends for one more. */
const MOST_GOING_ON = 5

export class Keyring {
  readonly #keys: Keys
  readonly #digests: Digests
  readonly #now: () => number
  readonly #master: () => string
  readonly #changed: () => void
  /** Digest → key: what requests are recognised by. */
  readonly #byDigest = new Map<string, Key>()
  readonly #digestOf = new Map<string, string>()
  readonly #oldSecrets: OldSecrets
  /** Digest → a secret that was taken away. */
  readonly #old = new Map<string, OldSecret>()
  /** Of those that go on for a while: the key as one who comes with it, and when somebody last did. */
  readonly #asOld = new WeakMap<Key, Map<string, Key>>()
  readonly #lastUse = new Map<string, number>()

  readonly #tell: TellChange

  /**
   * @param master digest of the master key, which no virtual key may be
   * @param changed told that a key has changed @param tell told what each change was
   */
  constructor(
    keys: Keys,
    oldSecrets: OldSecrets,
    digests: Digests,
    now: () => number,
    master: () => string,
    changed: () => void,
    tell: TellChange = tellNobody,
  ) {
    this.#tell = tell
    this.#changed = changed
    this.#oldSecrets = oldSecrets
    this.#keys = keys
    this.#digests = digests
    this.#now = now
    this.#master = master
    for (const { key, digest } of keys.all()) this.#remember(key, digest)
    for (const old of oldSecrets.all()) this.#old.set(old.digest, old)
  }

  #remember(key: Key, digest: string): void {
    this.#byDigest.set(digest, key)
    this.#digestOf.set(key.id, digest)
  }

  /** The key that this secret is. */
  recognise(secret: string): Key | undefined {
    return this.recogniseDigest(this.#digests.of(secret))
  }

  /** The same, where the digest is at hand. */
  recogniseDigest(digest: string): Key | undefined {
    return this.#byDigest.get(digest) ?? this.#goingOn(digest)
  }

  /** The key whose old secret this is, where that still works: the same object until the key changes. */
  #goingOn(digest: string): Key | undefined {
    const old = this.#old.get(digest)
    const now = this.#now()
    const key = old && old.until > now ? this.get(old.keyId) : undefined
    if (!old || !key) return undefined
    this.#lastUse.set(digest, now)
    let known = this.#asOld.get(key)
    if (!known) {
      known = new Map()
      this.#asOld.set(key, known)
    }
    let asOld = known.get(digest)
    if (!asOld) {
      asOld = { ...key, serial: old.serial, secretUntil: old.until }
      known.set(digest, asOld)
    }
    return asOld
  }

  /** A secret that was taken away, and no longer works. */
  formerOf(digest: string): OldSecret | undefined {
    return this.#old.get(digest)
  }

  /** What somebody learns who has found a secret: never the secret. @param now ms since the epoch */
  describe(secret: string, now: number): Record<string, unknown> {
    const digest = this.#digests.of(secret)
    if (this.#digests.same(digest, this.#master())) return { state: 'master', works: true }
    const key = this.recogniseDigest(digest)
    if (key) {
      const expired = key.expiresAt !== undefined && key.expiresAt <= now
      const state = key.blocked ? 'blocked' : expired ? 'expired' : key.secretUntil !== undefined ? 'replaced' : 'live'
      return { state, works: state === 'live' || state === 'replaced', token: key.id, key_alias: key.name ?? null }
    }
    const former = this.#old.get(digest)
    if (!former) return { state: 'unknown', works: false }
    return { state: former.reason, works: false, token: former.keyId, key_alias: former.alias }
  }

  /** Whether the secret by which somebody came in with `key` still works. */
  stands(key: Key): boolean {
    const now = this.get(key.id)
    if (!now) return false
    if ((now.serial ?? 0) === (key.serial ?? 0)) return true
    return this.oldOf(now).some(({ serial }) => serial === (key.serial ?? 0))
  }

  /** The old secrets of a key that still work, the newest first. */
  oldOf({ id, serial = 0 }: Key): (OldSecret & { lastUse: number | undefined })[] {
    if (serial === 0) return []
    const now = this.#now()
    const found = [...this.#old.values()].filter((old) => old.keyId === id && old.until > now)
    return found.sort((a, b) => b.serial - a.serial).map((old) => ({ ...old, lastUse: this.#lastUse.get(old.digest) }))
  }

  /** The key with this id. */
  get(id: string): Key | undefined {
    const digest = this.#digestOf.get(id)
    return digest === undefined ? undefined : this.#byDigest.get(digest)
  }

  all(): Key[] {
    return [...this.#byDigest.values()]
  }

  /**
   * A key by itself (`sk-…`), its id or its alias.
   * @throws Refusal not_found
   */
  find(reference: string): Key {
    const key = this.lookUp(reference)
    if (!key)
      throw new Refusal('not_found', 'There is no such key. Name it by the key itself, its token or its alias.', {
        param: 'key',
      })
    return key
  }

  /** The same, or undefined. */
  lookUp(reference: string): Key | undefined {
    const known = this.recognise(reference)
    // One that is named by an old secret is the key as it is.
    return (known && this.get(known.id)) ?? this.get(reference) ?? this.all().find((k) => k.name === reference)
  }

  /** @param secret a key of the operator's own making; undefined: a new one @returns the secret, shown this once */
  create(wanted: NewKey, secret = newSecret()): { key: Key; secret: string } {
    const now = this.#now()
    const digest = this.#digests.of(secret)
    if (this.#digests.same(digest, this.#master()))
      throw new Refusal('conflict', 'This is the master key: a virtual key has to be another one.', { param: 'key' })
    const key: Key = {
      ...wanted,
      id: randomBytes(16).toString('hex'),
      hint: secret.slice(-4),
      createdAt: now,
      updatedAt: now,
    }
    this.#refuseOld(digest)
    this.#keys.insert(key, digest)
    this.#tell({ table: 'key', id: key.id, action: 'created', after: key })
    this.#remember(key, digest)
    return { key, secret }
  }

  /** One that was deleted may be made again by its own secret; one that still works for another key may not. */
  #refuseOld(digest: string): void {
    const old = this.#old.get(digest)
    if (!old) return
    if (old.until > this.#now())
      throw new Refusal('conflict', 'This key exists already.', { status: 400, param: 'key' })
    this.#old.delete(digest)
    this.#oldSecrets.delete(digest)
  }

  /**
   * Gives a key another secret; budget, spend and everything else stay.
   * @param until when the old one ends, ms since the epoch; now: at once, and with it all that were older
   */
  replace(key: Key, until: number, changes: Partial<NewKey> = {}, secret = newSecret()): { key: Key; secret: string } {
    const now = this.#now()
    const digest = this.#digests.of(secret)
    const before = this.#digestOf.get(key.id) as string
    if (this.#digests.same(digest, this.#master()) || this.#byDigest.has(digest))
      throw new Refusal('conflict', 'This key exists already.', { status: 400, param: 'new_key' })
    this.#refuseOld(digest)
    this.#endOld(key, until > now ? MOST_GOING_ON - 1 : 0)
    // First what is taken away: cut short here, the old secret is still the key's own.
    this.#takeAway(key, before, 'replaced', until)
    const changed: Key = {
      ...{ ...key, ...changes, hint: secret.slice(-4), serial: (key.serial ?? 0) + 1 },
      ...{ replacedAt: now, updatedAt: now },
      ...(key.rotation ? { rotation: { ...(changes.rotation ?? key.rotation), since: now } } : {}),
    }
    this.#keys.update(changed, digest)
    this.#tell({ table: 'key', id: key.id, action: 'rotated', before: key, after: changed })
    this.#byDigest.delete(before)
    this.#remember(changed, digest)
    this.#changed()
    return { key: changed, secret }
  }

  /** Of its old secrets only the newest `left` go on. */
  #endOld(key: Key, left: number): void {
    for (const { lastUse: _, ...old } of this.oldOf(key).slice(left)) this.#keepOld({ ...old, until: this.#now() })
  }

  #takeAway(key: Key, digest: string, reason: OldSecret['reason'], until: number): void {
    const { id: keyId, hint, name, teamId, userId, serial = 0 } = key
    const whose = { keyId, hint, alias: name ?? null, teamId: teamId ?? null, userId: userId ?? null }
    this.#keepOld({ digest, ...whose, reason, serial, until, at: this.#now() })
  }

  #keepOld(old: OldSecret): void {
    this.#old.set(old.digest, old)
    for (const digest of this.#oldSecrets.put(old, this.#old.size)) {
      this.#old.delete(digest)
      this.#lastUse.delete(digest)
    }
  }

  update(key: Key, changes: Partial<NewKey>): Key {
    const digest = this.#digestOf.get(key.id) as string
    const changed: Key = { ...key, ...changes, updatedAt: this.#now() }
    this.#keys.update(changed, digest)
    this.#tell({ table: 'key', id: key.id, action: actionOf(key, changed), before: key, after: changed })
    this.#remember(changed, digest)
    this.#changed()
    return changed
  }

  delete(key: Key): void {
    const digest = this.#digestOf.get(key.id) as string
    this.#endOld(key, 0)
    this.#takeAway(key, digest, 'deleted', this.#now())
    this.#keys.delete(key.id)
    this.#tell({ table: 'key', id: key.id, action: 'deleted', before: key })
    this.#byDigest.delete(digest)
    this.#digestOf.delete(key.id)
    this.#changed()
  }
}
