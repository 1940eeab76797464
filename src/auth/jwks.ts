/** The public keys of an issuer: fetched, kept, asked for anew when a token names one that is not there, and bounded in all of it. */
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { fetchJson } from './fetch-json.ts'
import type { WayOut } from './way-out.ts'

/** However many unknown keys are named by tokens, the issuer is asked no more often. */
const COOLDOWN_MS = 10_000

type KeySet = ReturnType<typeof createLocalJWKSet>

export interface JwksOptions {
  /** Key sets or discovery documents. */
  urls: readonly string[]
  freshMs: number
  staleMs: number
  wayOut: WayOut
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  /** The keys are other ones now: what was verified with the old ones is to be verified anew. */
  changed(): void
}

export class Jwks {
  readonly #options: JwksOptions
  #sets: readonly KeySet[] | undefined
  #text = ''
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined

  constructor(options: JwksOptions) {
    this.#options = options
  }

  /** For jose. @throws Unavailable where no keys can be had */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    const { freshMs, now } = this.#options
    if (now() - this.#fetchedAt >= freshMs) await this.#fetch(now() - this.#fetchedAt < this.#options.staleMs)
    try {
      return await this.#find(header, token)
    } catch (cause) {
      // Rotated: the token may name a key that came after the last look.
      if (now() - this.#triedAt < COOLDOWN_MS) throw cause
      await this.#fetch(true)
      return this.#find(header, token)
    }
  }

  async #find(...asked: Parameters<JWTVerifyGetKey>): ReturnType<KeySet> {
    let fault: unknown
    for (const set of this.#sets ?? []) {
      try {
        return await set(...asked)
      } catch (cause) {
        fault = cause
      }
    }
    throw fault ?? new Unavailable('no keys')
  }

  /** Several who wait for it wait for one. @param mayKeep whether the old ones hold where none can be fetched */
  async #fetch(mayKeep: boolean): Promise<void> {
    const { now, warn } = this.#options
    if (!this.#fetching && (now() - this.#triedAt >= COOLDOWN_MS || !this.#sets)) {
      this.#triedAt = now()
      this.#fetching = this.#fetchAll()
        .catch((cause: Error) => {
          warn('The keys of an issuer can not be fetched.', { told: cause.message, keeps_old: mayKeep })
          throw cause
        })
        .finally(() => {
          this.#fetching = undefined
        })
    }
    try {
      await this.#fetching
    } catch (cause) {
      if (!mayKeep) throw new Unavailable((cause as Error).message)
    }
    if (!this.#sets || (!mayKeep && now() - this.#fetchedAt >= this.#options.freshMs)) throw new Unavailable('no keys')
  }

  async #fetchAll(): Promise<void> {
    const sets = await Promise.all(this.#options.urls.map((url) => setAt(url, this.#options.wayOut)))
    const text = JSON.stringify(sets)
    this.#fetchedAt = this.#options.now()
    if (text === this.#text) return
    this.#sets = sets.map((set) => createLocalJWKSet(set))
    const isFirst = this.#text === ''
    this.#text = text
    if (!isFirst) this.#options.changed()
  }
}

/** Nobody can be judged now: neither let in nor called wrong. */
export class Unavailable extends Error {}

/** A set of keys, or the one that a discovery document names (OpenID Connect Discovery 1.0, 4.2). */
async function setAt(url: string, wayOut: WayOut): Promise<JSONWebKeySet> {
  const found = (await jsonAt(url, true, wayOut)) as { keys?: unknown; jwks_uri?: unknown }
  if (Array.isArray(found.keys)) return { keys: found.keys }
  if (typeof found.jwks_uri !== 'string') throw new Error(`${url} is neither a key set nor a discovery document.`)
  // The document's word, and not the operator's: a private address only where he wrote the host himself.
  const isNamed = new URL(found.jwks_uri).origin === new URL(url).origin
  const set = (await jsonAt(found.jwks_uri, isNamed, wayOut)) as { keys?: unknown }
  if (!Array.isArray(set.keys)) throw new Error(`${found.jwks_uri} is no key set.`)
  return { keys: set.keys }
}

async function jsonAt(url: string, named: boolean, wayOut: WayOut): Promise<unknown> {
  const { status, value } = await fetchJson(url, named, wayOut)
  if (status !== 200) throw new Error(`${url} answers ${status}.`)
  return value
}
