/**
 * OpenID Connect as its client: authorization code with PKCE (RFC 7636), state, nonce and the issuer's name (RFC 9207), all
 * of it as RFC 9700 asks. What comes of it are claims that the provider has signed.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type JWTPayload, jwtVerify } from 'jose'
import type { SsoProvider } from '../../../config/sso.ts'
import { Refusal } from '../../../core/refusal.ts'
import { fetchJson } from '../../fetch-json.ts'
import { Jwks, Unavailable } from '../../jwks.ts'
import type { WayOut } from '../../way-out.ts'

/** Never `none`, and never a shared secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const FRESH_MS = 600_000
const SKEW_S = 60

export interface OidcHouse {
  wayOut: WayOut
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

interface Discovered {
  authorization: string
  token: string
  userinfo: string | undefined
  saysIssuer: boolean
  /** How it wants to be told the client's secret. */
  basic: boolean
}

/** What is kept for somebody while he is there. */
export interface Begun {
  state: string
  nonce: string
  verifier: string
}

const random = () => randomBytes(32).toString('base64url')

export class OidcClient {
  readonly provider: SsoProvider
  readonly #house: OidcHouse
  readonly #keys: Jwks
  #found: { at: number; value: Discovered } | undefined

  constructor(provider: SsoProvider, house: OidcHouse) {
    this.provider = provider
    this.#house = house
    this.#keys = new Jwks({
      ...{ urls: [this.#document], freshMs: FRESH_MS, staleMs: FRESH_MS * 6, ...house, changed: () => {} },
    })
  }

  get #document(): string {
    return `${this.provider.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  }

  /** @returns where the browser is sent */
  async begin(redirectUri: string): Promise<{ url: string; begun: Begun }> {
    const { authorization } = await this.#discover()
    const { clientId, scope } = this.provider
    const begun = { state: random(), nonce: random(), verifier: random() }
    const url = new URL(authorization)
    const asked = {
      ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope },
      ...{ state: begun.state, nonce: begun.nonce, code_challenge_method: 'S256' },
      code_challenge: createHash('sha256').update(begun.verifier).digest('base64url'),
    }
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)
    return { url: url.href, begun }
  }

  /** @param said the query that the browser came back with @throws Refusal invalid_credentials, auth_unavailable */
  async finish(said: URLSearchParams, begun: Begun, redirectUri: string): Promise<JWTPayload> {
    const found = await this.#discover()
    const issuer = said.get('iss')
    if (issuer === null ? found.saysIssuer : issuer !== this.provider.issuer)
      throw this.#wrong('the answer names another issuer (iss)')
    const fault = said.get('error')
    if (fault !== null) throw this.#wrong(`it says ${fault.replace(/[^\w. -]/g, '').slice(0, 100)}`)
    const code = said.get('code')
    if (!code) throw this.#wrong('the answer has no code')
    const { idToken, accessToken } = await this.#exchange(found, code, begun.verifier, redirectUri)
    const claims = await this.#verify(idToken, begun.nonce)
    return this.#completed(found, claims, accessToken)
  }

  async #discover(): Promise<Discovered> {
    const { now } = this.#house
    if (this.#found && now() - this.#found.at < FRESH_MS) return this.#found.value
    const { status, value } = await this.#ask(this.#document)
    const text = (name: string): string | undefined => {
      const said = value[name]
      return typeof said === 'string' && URL.canParse(said) ? said : undefined
    }
    // Whoever answers has to be who is meant (OpenID Connect Discovery 1.0, 4.3).
    if (status !== 200 || value.issuer !== this.provider.issuer)
      throw this.#away(`its discovery document is of the issuer ${String(value.issuer).slice(0, 100)}`)
    const [authorization, token] = [text('authorization_endpoint'), text('token_endpoint')]
    if (!authorization || !token) throw this.#away('its discovery document names no endpoints')
    const methods = value.token_endpoint_auth_methods_supported
    const found: Discovered = {
      ...{ authorization, token, userinfo: text('userinfo_endpoint') },
      saysIssuer: value.authorization_response_iss_parameter_supported === true,
      basic: !Array.isArray(methods) || methods.includes('client_secret_basic'),
    }
    this.#found = { at: now(), value: found }
    return found
  }

  /** A private address only where the operator wrote the host himself. */
  async #ask(url: string, init: RequestInit & { method?: string } = {}) {
    const isNamed = new URL(url).origin === new URL(this.provider.issuer).origin
    try {
      return await fetchJson(url, isNamed, this.#house.wayOut, init)
    } catch (cause) {
      throw this.#away((cause as Error).message)
    }
  }

  async #exchange({ token, basic }: Discovered, code: string, verifier: string, redirectUri: string) {
    const { clientId, clientSecret } = this.provider
    const form = new URLSearchParams({
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
    })
    const headers: Record<string, string> = { accept: 'application/json' }
    if (clientSecret && basic) {
      // Each part form-encoded before they are joined (RFC 6749, 2.3.1).
      const pair = [clientId, clientSecret.reveal()].map((part) => new URLSearchParams({ x: part }).toString().slice(2))
      headers.authorization = `Basic ${Buffer.from(pair.join(':')).toString('base64')}`
    } else {
      form.set('client_id', clientId)
      if (clientSecret) form.set('client_secret', clientSecret.reveal())
    }
    const { status, value } = await this.#ask(token, { method: 'POST', headers, body: form })
    if (status >= 500) throw this.#away(`its token endpoint answers ${status}`)
    const { id_token: idToken, access_token: accessToken, error } = value
    if (status !== 200 || typeof idToken !== 'string')
      throw this.#wrong(
        `its token endpoint answers ${status} ${String(error ?? '')
          .replace(/[^\w]/g, '')
          .slice(0, 50)}`,
      )
    return { idToken, accessToken: typeof accessToken === 'string' ? accessToken : undefined }
  }

  async #verify(idToken: string, nonce: string): Promise<JWTPayload> {
    const { issuer, clientId } = this.provider
    const { payload } = await jwtVerify(idToken, this.#keys.key, {
      ...{ issuer, audience: clientId, algorithms: ALGORITHMS, requiredClaims: ['exp', 'iat', 'sub'] },
      ...{ clockTolerance: SKEW_S, currentDate: new Date(this.#house.now()) },
    }).catch((cause: Error) => {
      if (cause instanceof Unavailable) throw this.#away(cause.message)
      throw this.#wrong(`its token is not to be believed (${cause.message.slice(0, 100)})`)
    })
    if (payload.nonce !== nonce) throw this.#wrong('its token was made for another login (nonce)')
    // For several, it has to be us that it was made for (OpenID Connect Core, 3.1.3.7).
    if (Array.isArray(payload.aud) && payload.aud.length > 1 && payload.azp !== clientId)
      throw this.#wrong('its token was made for somebody else (azp)')
    return payload
  }

  /** Some tell address and groups only when they are asked (OpenID Connect Core, 5.3). The token's own words win. */
  async #completed({ userinfo }: Discovered, claims: JWTPayload, accessToken: string | undefined): Promise<JWTPayload> {
    const { roles, teams, groupsClaim } = this.provider
    const needsGroups = roles !== undefined || Object.keys(teams).length > 0
    const hasGroups = groupsClaim in claims || (groupsClaim.split('.')[0] as string) in claims
    const isWhole = claims.email !== undefined && (hasGroups || !needsGroups)
    if (isWhole || !userinfo || !accessToken) return claims
    const { status, value } = await this.#ask(userinfo, { headers: { authorization: `Bearer ${accessToken}` } })
    if (status !== 200 || value.sub !== claims.sub) throw this.#wrong('it tells of somebody else (sub)')
    return { ...value, ...claims }
  }

  #wrong(why: string): Refusal {
    this.#house.warn('A login by SSO was refused.', { provider: this.provider.id, why })
    return new Refusal('invalid_credentials', `${this.provider.name} did not let you in here: ${why}. Begin anew.`)
  }

  #away(why: string): Refusal {
    this.#house.warn('An identity provider can not be asked.', { provider: this.provider.id, why })
    return new Refusal('auth_unavailable', `${this.provider.name} can not be asked now. Try again in a moment.`, {
      ...{ private: why, retryAfterMs: 5_000 },
    })
  }
}
