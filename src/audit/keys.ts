/**
 * The keys of the audit. Codes and digests are under keys derived from the data folder's own, each for its purpose; what is
 * signed is signed with a key of its own, which is kept sealed, so that whoever has the folder alone cannot sign.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { type ChainRow, type Checkpoint, headOf, signedText } from '../core/audit-chain.ts'
import type { Proofs } from '../core/audit-verify.ts'

/** A text that is kept sealed. */
export interface KeyShelf {
  read(): string | undefined
  write(text: string): void
}

const PURPOSES = ['chain', 'prompts', 'keys', 'people', 'addresses', 'details'] as const
type Purpose = (typeof PURPOSES)[number]

/** Bytes of a digest that stand in an entry: enough to tell any two apart. */
const SHORT = 16
/** Keys whose digests are remembered. */
const REMEMBERED = 10_000

export class AuditKeys {
  readonly #keys: Readonly<Record<Purpose, Buffer>>
  /** Hashers that have taken their key: a copy of one costs three quarters of a new one. */
  readonly #chain: Bun.CryptoHasher
  readonly #prompts: Bun.CryptoHasher
  /** Digests of keys' ids. */
  readonly #known = new Map<string, string>()

  /** @param root the data folder's own secret bytes */
  constructor(root: Buffer) {
    const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', root, '', `tollgate audit ${purpose}`, 32))
    this.#keys = Object.fromEntries(PURPOSES.map((purpose) => [purpose, derive(purpose)])) as Record<Purpose, Buffer>
    this.#chain = new Bun.CryptoHasher('sha256', this.#keys.chain)
    this.#prompts = new Bun.CryptoHasher('sha256', this.#keys.prompts)
  }

  /** The code of an entry: HMAC-SHA256 over the code before, its place and its bytes. */
  macOf(before: Uint8Array, row: Pick<ChainRow, 'chain' | 'seq' | 'at' | 'body'>): Buffer {
    return this.#chain.copy().update(before).update(headOf(row)).update(row.body).digest()
  }

  /** Of a prompt's bytes: the same prompt has the same one here, and nowhere else. */
  prompt(bytes: Uint8Array): string {
    return this.promptHasher().update(bytes).digest('hex')
  }

  /** The same, for what is too long to be hashed in one go. */
  promptHasher(): Bun.CryptoHasher {
    return this.#prompts.copy()
  }

  key(id: string): string {
    let digest = this.#known.get(id)
    if (digest === undefined) {
      digest = this.#short('keys', id)
      if (this.#known.size >= REMEMBERED) this.#known.clear()
      this.#known.set(id, digest)
    }
    return digest
  }

  address(ip: string): string {
    return this.#short('addresses', ip)
  }

  /** @param salt his own: without it nobody finds him again */
  person(name: string, salt: Uint8Array): string {
    const hasher = new Bun.CryptoHasher('sha256', this.#keys.people)
    return hasher
      .update(salt)
      .update(name)
      .digest('hex')
      .slice(0, 2 * SHORT)
  }

  /** What an entry says of details that are kept beside it. */
  details(nonce: Uint8Array, text: string): string {
    return new Bun.CryptoHasher('sha256', this.#keys.details).update(nonce).update(text).digest('hex')
  }

  #short(purpose: Purpose, text: string): string {
    return new Bun.CryptoHasher('sha256', this.#keys[purpose])
      .update(text)
      .digest('hex')
      .slice(0, 2 * SHORT)
  }
}

/** Ed25519. */
export class Signer {
  readonly #key: KeyObject
  /** PEM. */
  readonly publicKey: string
  /** There was none, and it was made just now. */
  readonly isNew: boolean

  /** @param shelf where the key lies; it is made where there is none @throws Error where it cannot be opened */
  constructor(shelf: KeyShelf) {
    let pem = shelf.read()
    this.isNew = pem === undefined
    if (pem === undefined) {
      pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      shelf.write(pem)
    }
    this.#key = createPrivateKey(pem)
    this.publicKey = createPublicKey(this.#key).export({ type: 'spki', format: 'pem' }).toString()
  }

  sign(checkpoint: Omit<Checkpoint, 'signature'>): Checkpoint {
    return { ...checkpoint, signature: sign(null, Buffer.from(signedText(checkpoint)), this.#key) }
  }
}

/** @param publicKey PEM @throws Error where it is none */
export function proofsWith(keys: AuditKeys, publicKey: string): Proofs {
  const key = createPublicKey(publicKey)
  return {
    macOf: (before, row) => keys.macOf(before, row),
    isSigned: (one) => verify(null, Buffer.from(signedText(one)), key, one.signature),
  }
}
