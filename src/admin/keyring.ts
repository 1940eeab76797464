/** Makes, changes and removes virtual keys, at rest and in the snapshot that requests are decided by. */
import { randomBytes } from 'node:crypto'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import type { Digests, Keys } from '../store/keys.ts'
import { newSecret } from '../store/keys.ts'

export type NewKey = Omit<Key, 'id' | 'hint' | 'createdAt' | 'updatedAt'>

export class Keyring {
  readonly #keys: Keys
  readonly #digests: Digests
  readonly #now: () => number
  readonly #master: () => string
  readonly #changed: () => void
  /** Digest → key: what requests are recognised by. */
  readonly #byDigest = new Map<string, Key>()
  readonly #digestOf = new Map<string, string>()

  /** @param master digest of the master key, which no virtual key may be @param changed told of each change of a key */
  constructor(keys: Keys, digests: Digests, now: () => number, master: () => string, changed: () => void) {
    this.#changed = changed
    this.#keys = keys
    this.#digests = digests
    this.#now = now
    this.#master = master
    for (const { key, digest } of keys.all()) this.#remember(key, digest)
  }

  #remember(key: Key, digest: string): void {
    this.#byDigest.set(digest, key)
    this.#digestOf.set(key.id, digest)
  }

  /** The key that this secret is. */
  recognise(secret: string): Key | undefined {
    return this.#byDigest.get(this.#digests.of(secret))
  }

  /** The same, where the digest is at hand. */
  recogniseDigest(digest: string): Key | undefined {
    return this.#byDigest.get(digest)
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
    return this.recognise(reference) ?? this.get(reference) ?? this.all().find((k) => k.name === reference)
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
    this.#keys.insert(key, digest)
    this.#remember(key, digest)
    return { key, secret }
  }

  update(key: Key, changes: Partial<NewKey>): Key {
    const digest = this.#digestOf.get(key.id) as string
    const changed: Key = { ...key, ...changes, updatedAt: this.#now() }
    this.#keys.update(changed, digest)
    this.#remember(changed, digest)
    this.#changed()
    return changed
  }

  delete(key: Key): void {
    this.#keys.delete(key.id)
    this.#byDigest.delete(this.#digestOf.get(key.id) as string)
    this.#digestOf.delete(key.id)
    this.#changed()
  }
}
