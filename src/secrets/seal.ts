/**
 * Content at rest: AES-256-GCM under a key of its own purpose. What was changed does not open. The key may change: what was
 * sealed under the one before opens as long as that is known, and is sealed anew by whoever keeps it.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'

/** Names the key in front of what is sealed; the first version did not. */
const VERSION = 2
const FIRST = 1
const MARK = 4
const NONCE = 12
const TAG = 16

/** The keys that everything is sealed under, the newest first. */
export class SealKeys {
  #roots: readonly Buffer[]
  /** Rises with each new key. */
  #changes = 0

  /** @param roots secret bytes, at least one: the first seals, all of them open */
  constructor(roots: readonly Buffer[]) {
    this.#roots = roots
  }

  get changes(): number {
    return this.#changes
  }

  get roots(): readonly Buffer[] {
    return this.#roots
  }

  /** From now on this one seals. */
  take(root: Buffer): void {
    if (this.#roots[0]?.equals(root)) return
    this.#roots = [root, ...this.#roots.filter((one) => !one.equals(root))]
    this.#changes++
  }
}

/** A key out of a text that somebody has made up, or that a generator has. */
export const rootOf = (text: string): Buffer => createHash('sha256').update(`tollgate seal ${text}`).digest()

export class Sealer {
  readonly #keys: SealKeys
  readonly #purpose: string
  #made: { changes: number; all: readonly { mark: Buffer; key: Buffer }[] } | undefined

  /** @param purpose keys of different purposes have nothing to do with each other */
  constructor(keys: SealKeys, purpose: string) {
    this.#keys = keys
    this.#purpose = purpose
  }

  /** What everything begins with that is sealed under the newest key: version and mark. */
  get beginning(): Buffer {
    return Buffer.concat([Buffer.of(VERSION), this.#all()[0]?.mark ?? Buffer.alloc(MARK)])
  }

  /** @param context what the text belongs to: it opens only with the same one */
  seal(text: string, context: string): Buffer {
    return this.sealBytes(Buffer.from(text), context)
  }

  sealBytes(bytes: Uint8Array, context: string): Buffer {
    const nonce = randomBytes(NONCE)
    const { mark, key } = this.#all()[0] as { mark: Buffer; key: Buffer }
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
    return Buffer.concat([Buffer.of(VERSION), mark, nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  }

  /** @throws Error where it was changed, moved to another context, or sealed under a key that is not here */
  open(sealed: Buffer, context: string): string {
    return this.openBytes(sealed, context).toString('utf8')
  }

  /** @throws Error likewise */
  openBytes(sealed: Buffer, context: string): Buffer {
    if (sealed[0] === FIRST) return this.#openFirst(sealed.subarray(1), context)
    const body = sealed.subarray(1 + MARK)
    if (sealed[0] !== VERSION || body.length < NONCE + TAG) throw new Error('This is not sealed content.')
    const mark = sealed.subarray(1, 1 + MARK)
    const found = this.#all().find((one) => one.mark.equals(mark))
    if (!found) throw new Error('This was sealed under a key that is not here: name it in tollgate.seal_keys_before.')
    return opened(body, found.key, context)
  }

  #openFirst(body: Buffer, context: string): Buffer {
    for (const { key } of this.#all())
      try {
        return opened(body, key, context)
      } catch {
        // Perhaps under another one.
      }
    throw new Error('This was sealed under a key that is not here, or was changed.')
  }

  #all(): readonly { mark: Buffer; key: Buffer }[] {
    if (this.#made?.changes !== this.#keys.changes) {
      const derive = (root: Buffer, purpose: string, length: number) =>
        Buffer.from(hkdfSync('sha256', root, '', `tollgate ${purpose}`, length))
      this.#made = {
        changes: this.#keys.changes,
        all: this.#keys.roots.map((root) => ({
          mark: derive(root, 'mark of a key', MARK),
          key: derive(root, this.#purpose, 32),
        })),
      }
    }
    return this.#made.all
  }
}

function opened(body: Buffer, key: Buffer, context: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE)).setAAD(Buffer.from(context))
  decipher.setAuthTag(body.subarray(-TAG))
  return Buffer.concat([decipher.update(body.subarray(NONCE, -TAG)), decipher.final()])
}
