/** A passkey's device in software: ES256 keys, attestation `none`, CBOR by hand (WebAuthn Level 3, 6.5; RFC 9052). */
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'

const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest()

function head(major: number, n: number): Buffer {
  if (n < 24) return Buffer.of((major << 5) | n)
  return n < 256 ? Buffer.of((major << 5) | 24, n) : Buffer.of((major << 5) | 25, n >> 8, n & 255)
}

/** Of what is needed here: numbers, bytes, text, maps. */
function cbor(value: number | string | Buffer | Map<number | string, unknown>): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  const parts = [...value].flatMap(([key, one]) => [cbor(key), cbor(one as Buffer)])
  return Buffer.concat([head(5, value.size), ...parts])
}

/** What a test may have the device do wrong. */
export interface Twist {
  origin?: string
  rpId?: string
  /** Flags: 1 somebody is there, 4 he is verified. */
  flags?: number
  counter?: number
  challenge?: string
  type?: string
  userHandle?: string
}

export class Authenticator {
  readonly id = randomBytes(32)
  counter = 0
  #handle = ''
  readonly #private: KeyObject
  readonly #cose: Buffer

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    this.#private = privateKey
    const bytes = (said: string | undefined) => Buffer.from(said as string, 'base64url')
    this.#cose = cbor(
      new Map<number, unknown>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, bytes(x)],
        [-3, bytes(y)],
      ]),
    )
  }

  #client(type: string, challenge: string, origin: string, twist: Twist): Buffer {
    const said = { type: twist.type ?? type, challenge: twist.challenge ?? challenge, origin: twist.origin ?? origin }
    return Buffer.from(JSON.stringify({ ...said, crossOrigin: false }))
  }

  #data(rpId: string, flags: number, twist: Twist, more: Buffer = Buffer.alloc(0)): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(twist.counter ?? ++this.counter)
    return Buffer.concat([
      sha256(twist.rpId ?? rpId),
      Buffer.of(twist.flags === undefined ? flags : (flags & 0xc0) | twist.flags),
      counter,
      more,
    ])
  }

  /** What `navigator.credentials.create()` gives. */
  create(options: { challenge: string; rp: { id: string }; user: { id: string } }, origin: string, twist: Twist = {}) {
    this.#handle = options.user.id
    const client = this.#client('webauthn.create', options.challenge, origin, twist)
    const idLength = Buffer.of(0, this.id.length)
    const attested = Buffer.concat([Buffer.alloc(16), idLength, this.id, this.#cose])
    const authData = this.#data(options.rp.id, 0x45, twist, attested)
    const attestation = cbor(
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ]),
    )
    return {
      ...this.#credential(),
      response: {
        clientDataJSON: client.toString('base64url'),
        attestationObject: attestation.toString('base64url'),
        transports: ['internal'],
      },
    }
  }

  /** What `navigator.credentials.get()` gives. */
  get(options: { challenge: string; rpId: string }, origin: string, twist: Twist = {}) {
    const client = this.#client('webauthn.get', options.challenge, origin, twist)
    const data = this.#data(options.rpId, 0x05, twist)
    const signature = createSign('sha256').update(data).update(sha256(client)).sign(this.#private)
    return {
      ...this.#credential(),
      response: {
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signature.toString('base64url'),
        userHandle: twist.userHandle ?? this.#handle,
      },
    }
  }

  #credential() {
    const id = this.id.toString('base64url')
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, authenticatorAttachment: 'platform' }
  }
}
