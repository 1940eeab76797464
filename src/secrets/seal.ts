/** Content at rest: AES-256-GCM under a key of its own purpose. What was changed does not open. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const VERSION = 1
const NONCE = 12
const TAG = 16

export class Sealer {
  readonly #key: Buffer

  /** @param root 32 secret bytes @param purpose keys of different purposes have nothing to do with each other */
  constructor(root: Buffer, purpose: string) {
    this.#key = Buffer.from(hkdfSync('sha256', root, '', `tollgate ${purpose}`, 32))
  }

  /** @param context what the text belongs to: it opens only with the same one */
  seal(text: string, context: string): Buffer {
    const nonce = randomBytes(NONCE)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context))
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([Buffer.of(VERSION), nonce, sealed, cipher.getAuthTag()])
  }

  /** @throws Error where it was changed, moved to another context or sealed under another key */
  open(sealed: Buffer, context: string): string {
    if (sealed[0] !== VERSION || sealed.length < 1 + NONCE + TAG) throw new Error('This is not sealed content.')
    const nonce = sealed.subarray(1, 1 + NONCE)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(context))
    decipher.setAuthTag(sealed.subarray(-TAG))
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE, -TAG)), decipher.final()]).toString('utf8')
  }
}
