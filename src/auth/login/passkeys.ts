/** Passkeys (Web Authentication Level 3): registering one, and logging in by one. The user is always verified by his device. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { Refusal } from '../../core/refusal.ts'
import type { Tickets } from './tickets.ts'

/** store/logins.ts. */
export interface Passkey {
  id: string
  userId: string
  publicKey: Buffer
  counter: number
  name: string
  /** JSON list. */
  transports: string
  createdAt: number
  usedAt: number | null
}

/** What the pages are that passkeys are for. */
export interface Site {
  /** `https://gate.example.com` */
  origin: string
  /** `gate.example.com` */
  host: string
}

export interface PasskeyHouse {
  site(): Site
  tickets: Tickets
  now(): number
  passkey(id: string): Passkey | undefined
  /** The number that a user's passkeys know him by. */
  handleOf(userId: string): string
  use(id: string, counter: number, at: number): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** Somebody has to find his device. */
const FOR_MS = 300_000
const LARGEST = 64 * 1024
/** ES256, EdDSA, RS256 (COSE). */
const ALGORITHMS = [-7, -8, -257]

/** Loaded where somebody uses one: it takes 25 MB and 90 ms. */
const webauthn = () => import('@simplewebauthn/server')

export class Passkeys {
  readonly #house: PasskeyHouse

  constructor(house: PasskeyHouse) {
    this.#house = house
  }

  /** For `navigator.credentials.create()`. @param had those that he has: no device is taken twice */
  async begin(userId: string, had: readonly Passkey[]) {
    const { site, tickets, handleOf } = this.#house
    const { generateRegistrationOptions } = await webauthn()
    const options = await generateRegistrationOptions({
      ...{ rpName: 'Tollgate', rpID: site().host, userName: userId, attestationType: 'none' },
      userID: new Uint8Array(Buffer.from(handleOf(userId), 'base64url')),
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      supportedAlgorithmIDs: ALGORITHMS,
      excludeCredentials: had.map(({ id }) => ({ id })),
    })
    const ticket = tickets.issue('passkey new', { challenge: options.challenge, userId }, FOR_MS)
    return { options, ticket }
  }

  /** @throws Refusal invalid_request */
  async register(userId: string, ticket: string, response: unknown, name: string): Promise<Passkey> {
    const { site, tickets, now } = this.#house
    const begun = tickets.take<{ challenge: string; userId: string }>('passkey new', ticket)
    if (!begun || begun.userId !== userId) throw over('invalid_request')
    const { origin, host } = site()
    const { verifyRegistrationResponse } = await webauthn()
    const { registrationInfo: found } = await verifyRegistrationResponse({
      response: small<RegistrationResponseJSON>(response),
      ...{ expectedChallenge: begun.challenge, expectedOrigin: origin, expectedRPID: host },
      ...{ requireUserVerification: true, supportedAlgorithmIDs: ALGORITHMS },
    }).catch((cause: Error) => {
      throw wrong(cause)
    })
    if (!found) throw wrong(new Error('it is not verified'))
    const { id, publicKey, counter, transports = [] } = found.credential
    return {
      ...{ id, userId, publicKey: Buffer.from(publicKey), counter, name, createdAt: now(), usedAt: null },
      transports: JSON.stringify(transports),
    }
  }

  /**
   * For `navigator.credentials.get()`.
   * @param mine those of whoever is known already; undefined: whoever has one for this site, so that no name is told
   */
  async ask(mine?: readonly Passkey[]) {
    const { site, tickets } = this.#house
    const { generateAuthenticationOptions } = await webauthn()
    const options = await generateAuthenticationOptions({
      ...{ rpID: site().host, userVerification: 'required' },
      ...(mine ? { allowCredentials: mine.map(({ id }) => ({ id })) } : {}),
    })
    return { options, ticket: tickets.issue('passkey', { challenge: options.challenge }, FOR_MS) }
  }

  /** Whose it is. @throws Refusal invalid_credentials: in the same words, whatever is wrong */
  async check(ticket: string, response: unknown): Promise<Passkey> {
    const { site, tickets, now, passkey, handleOf, use, warn } = this.#house
    const begun = tickets.take<{ challenge: string }>('passkey', ticket)
    if (!begun) throw over('invalid_credentials')
    const said = small<AuthenticationResponseJSON>(response)
    const known = typeof said.id === 'string' ? passkey(said.id) : undefined
    if (!known) throw unknown()
    const handle = said.response?.userHandle
    if (handle && handle !== handleOf(known.userId)) throw unknown()
    const { origin, host } = site()
    const { verifyAuthenticationResponse } = await webauthn()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: said,
      ...{ expectedChallenge: begun.challenge, expectedOrigin: origin, expectedRPID: host },
      credential: { id: known.id, publicKey: new Uint8Array(known.publicKey), counter: known.counter },
      requireUserVerification: true,
    }).catch((cause: Error) => {
      // A counter that goes back means that somebody has a copy of it (WebAuthn 6.1.1).
      warn('A passkey was refused.', { user: known.userId, passkey: known.id.slice(0, 12), told: cause.message })
      throw unknown()
    })
    if (!verified) throw unknown()
    use(known.id, authenticationInfo.newCounter, now())
    return known
  }
}

function small<T>(response: unknown): T {
  if (typeof response !== 'object' || response === null || JSON.stringify(response).length > LARGEST)
    throw new Refusal('invalid_request', 'response: must be what `navigator.credentials` gave, as JSON.', {
      param: 'response',
    })
  return response as T
}

const over = (code: 'invalid_request' | 'invalid_credentials') =>
  new Refusal(code, 'This was begun too long ago, or is done already. Begin anew.', {
    param: 'ticket',
  })
const unknown = () => new Refusal('invalid_credentials', 'This passkey opens nothing here.')
const wrong = (cause: Error) =>
  new Refusal('invalid_request', `This passkey can not be taken: ${cause.message.slice(0, 200)}`, { param: 'response' })
