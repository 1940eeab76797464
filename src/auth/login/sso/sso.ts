/** Logging in by somebody who vouches for it: to him and back, bound to the browser that went. */
import type { SsoProvider } from '../../../config/sso.ts'
import { Refusal } from '../../../core/refusal.ts'
import { cookie, cookieIn } from '../cookie.ts'
import type { Tickets } from '../tickets.ts'
import { type Begun, OidcClient, type OidcHouse } from './oidc.ts'
import { type WhoseHouse, whose } from './whose.ts'

export interface SsoHouse extends OidcHouse, WhoseHouse {
  tickets: Tickets
  /** Without a slash at its end. */
  siteUrl(): string
}

const COOKIE = '__Host-tollgate-sso'
/** Somebody has to log in there, perhaps with two factors. */
const FOR_MS = 600_000

interface Trip extends Begun, Record<string, unknown> {
  id: string
  returnTo: string
}

export class Sso {
  readonly #house: SsoHouse
  readonly #clients: ReadonlyMap<string, OidcClient>

  constructor(providers: readonly SsoProvider[], house: SsoHouse) {
    this.#house = house
    this.#clients = new Map(providers.map((one) => [one.id, new OidcClient(one, house)]))
  }

  list(): { id: string; name: string; url: string }[] {
    return [...this.#clients.values()].map(({ provider: { id, name } }) => ({ id, name, url: `/sso/start/${id}` }))
  }

  get #back(): string {
    return `${this.#house.siteUrl()}/sso/callback`
  }

  #client(id: string): OidcClient {
    const client = this.#clients.get(id)
    if (client) return client
    throw new Refusal('not_found', `There is no provider '${id.slice(0, 40)}' here (tollgate.sso).`)
  }

  /** @param returnTo a path of ours @returns where to send the browser, and what it has to bring back */
  async start(id: string, returnTo: string | null): Promise<{ url: string; cookie: string }> {
    const { url, begun } = await this.#client(id).begin(this.#back)
    const trip: Trip = { ...begun, id, returnTo: ownPath(returnTo, this.#house.siteUrl()) }
    const ticket = this.#house.tickets.issue('sso', trip, FOR_MS)
    // Lax, since it has to come along when the provider sends the browser back.
    return { url, cookie: cookie(COOKIE, ticket, FOR_MS / 1000, 'Lax') }
  }

  /** @throws Refusal invalid_credentials, forbidden, auth_unavailable */
  async finish(request: Request): Promise<{ userId: string; id: string; mfa: boolean; returnTo: string }> {
    const { searchParams } = new URL(request.url)
    const ticket = cookieIn(request.headers, COOKIE)
    const trip = ticket === undefined ? undefined : this.#house.tickets.take<Trip>('sso', ticket)
    if (!trip || searchParams.get('state') !== trip.state)
      throw new Refusal(
        'invalid_credentials',
        'This login was not begun in this browser, or too long ago, or is done already. Begin anew: GET /login/methods tells where.',
      )
    const client = this.#client(trip.id)
    const claims = await client.finish(searchParams, trip, this.#back)
    const userId = whose(claims, client.provider, this.#house)
    const amr = Array.isArray(claims.amr) ? claims.amr : []
    // RFC 8176: `mfa` is what a provider says of several factors.
    const mfa = client.provider.countsAsMfa || amr.includes('mfa')
    return { userId, id: trip.id, mfa, returnTo: trip.returnTo }
  }

  /** What takes the cookie of the trip away. */
  readonly over = cookie(COOKIE, '', 0, 'Lax')
}

/** A path of this site, whatever was said: nobody is sent elsewhere from here. */
export function ownPath(said: string | null, site: string): string {
  if (said === null || said.length > 1_000 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(said) || said.includes('\\')) return '/'
  const { origin } = new URL(site)
  const url = URL.canParse(said, origin) ? new URL(said, origin) : undefined
  // `/./..//evil.example` has become `//evil.example`, which is another host.
  return url?.origin === origin && !url.pathname.startsWith('//') ? url.pathname + url.search + url.hash : '/'
}
