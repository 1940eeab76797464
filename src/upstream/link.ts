/** A target with everything that is needed to reach it. Credentials stay inside: a link that is printed shows none. */
import type { Target } from '../core/target.ts'
import type { Json, WireId } from '../dialects/canonical.ts'
import type { Warn } from '../dialects/dialect.ts'
import { Secret } from '../secrets/secret.ts'
import { HOP_HEADER, OWN_HOP } from './hops.ts'
import type { Outgoing, Path, Place, Provider } from './provider.ts'
import type { Init, Way, Ways } from './way-out.ts'

export interface LinkParts {
  target: Target
  provider: Provider
  /** As `provider.settings` made it. */
  settings: unknown
  /** Headers of the operator's own, laid over the provider's. */
  extraHeaders: Readonly<Record<string, Secret>>
  /** Goes into every body unless the caller says otherwise. */
  extraBody: Readonly<Json>
  dropParams: boolean | undefined
  ways: Ways
  /** Whether the operator wrote its address himself. */
  named: boolean
}

/** Headers that never hold a credential. */
const PLAIN_HEADERS = new Set([
  'content-type',
  'accept-encoding',
  'user-agent',
  'anthropic-version',
  'anthropic-beta',
  HOP_HEADER,
])

export class Link {
  readonly target: Target
  readonly provider: Provider
  readonly origin: string
  /** `ollama/mistral`, fit for a header; as are the other two. */
  readonly servedBy: string
  readonly modelId: string
  readonly modelGroup: string
  readonly extraBody: Readonly<Json>
  readonly dropParams: boolean | undefined
  readonly hasDefaults: boolean
  /** It is known that the target can't do something. */
  readonly lacks: boolean
  readonly #parts: LinkParts
  readonly #takesApart: boolean
  /** Dialect → whole URL of a whole answer and of a stream. */
  readonly #urls: Partial<Record<WireId, readonly [whole: string, stream: string]>>
  #headers: Readonly<Record<string, string>>
  /** Which of our secrets the headers were made of (`Secret.changes`). */
  #madeAt: number
  #way: Way | undefined
  /** Those that were made for the last request: a token among them is the same for many. */
  #made: Readonly<Record<string, string>> = {}

  constructor(parts: LinkParts) {
    this.#parts = parts
    const { provider, settings } = parts
    this.target = parts.target
    this.provider = provider
    this.origin = provider.origin(settings)
    this.servedBy = visible(`${parts.target.provider}/${parts.target.model}`)
    this.modelId = visible(parts.target.id)
    this.modelGroup = visible(parts.target.alias)
    this.extraBody = parts.extraBody
    this.dropParams = parts.dropParams
    this.hasDefaults = Object.keys(parts.target.defaults).length > 0
    this.lacks = Object.values(parts.target.abilities).includes(false)
    this.#takesApart = this.hasDefaults || Object.keys(parts.extraBody).length > 0
    const urlOf = (path: Path<unknown>, stream: boolean) => {
      const said = typeof path === 'string' ? path : path(parts.target.model, stream, settings)
      return said === undefined || /^https?:/.test(said) ? said : this.origin + said
    }
    this.#urls = {}
    for (const [id, path] of Object.entries(provider.speaks)) {
      const [whole, stream] = [urlOf(path, false), urlOf(path, true)]
      if (whole !== undefined && stream !== undefined) this.#urls[id as WireId] = [whole, stream]
    }
    this.#madeAt = Secret.changes
    this.#headers = this.#makeHeaders()
  }

  #makeHeaders(): Readonly<Record<string, string>> {
    const { provider, settings, extraHeaders } = this.#parts
    return {
      'content-type': 'application/json',
      // What is relayed is not packed: a packed stream would have to be unpacked to be read.
      'accept-encoding': 'identity',
      'user-agent': 'tollgate',
      // Signed requests go to makers of models; what was not written by the operator, too.
      ...(this.#parts.named && !provider.authorize ? { [HOP_HEADER]: OWN_HOP } : {}),
      ...provider.headers(settings),
      ...Object.fromEntries(Object.entries(extraHeaders).map(([name, value]) => [name, value.reveal()])),
    }
  }

  /** As `fetch`, by the way out that the operator has laid: every request to this target goes through here. */
  fetch(url: string, init: Init): Promise<Response> {
    return this.way(url).fetch(url, init)
  }

  /** @param url of this target; without one, its origin's */
  way(url: string = this.origin): Way {
    const { ways, named } = this.#parts
    if (url.startsWith(this.origin) && (url.length === this.origin.length || url[this.origin.length] === '/')) {
      this.#way ??= ways.of(originOf(this.origin), named)
      return this.#way
    }
    // A provider may have other hosts than that of its models; the operator did not write those.
    const origin = originOf(url)
    return ways.of(origin, named && origin === originOf(this.origin))
  }

  /** A text of the upstream's without our credentials, whichever header they are sent in. */
  scrub(text: string): string {
    const secrets = Object.values(this.#parts.settings as object).flatMap((s) =>
      s instanceof Secret ? [s.reveal()] : [],
    )
    for (const [name, value] of [...Object.entries(this.headers), ...Object.entries(this.#made)])
      if (!PLAIN_HEADERS.has(name)) secrets.push(value.replace(/^(bearer|basic) /i, ''))
    let clean = text
    for (const secret of secrets) if (secret.length >= 8) clean = clean.replaceAll(secret, '[redacted]')
    return clean
  }

  /** Headers of a request: built once, and again when a secret has changed; not to be changed. */
  get headers(): Readonly<Record<string, string>> {
    if (this.#madeAt !== Secret.changes) {
      this.#headers = this.#makeHeaders()
      this.#madeAt = Secret.changes
    }
    return this.#headers
  }

  /** The dialects that the target understands, its preferred one first. */
  get speaks(): readonly WireId[] {
    return Object.keys(this.#urls) as WireId[]
  }

  speaksDialect(dialect: WireId): boolean {
    return this.#urls[dialect] !== undefined
  }

  /**
   * The address for a dialect that the provider speaks.
   * @param body of the request, for the few addresses that depend on it
   */
  url(dialect: WireId, stream: boolean, body?: Uint8Array | string): string {
    const url = this.#urls[dialect]?.[stream ? 1 : 0] as string
    const route = body === undefined ? undefined : this.provider.route?.[dialect]
    return route ? route(url, typeof body === 'string' ? body : new TextDecoder().decode(body)) : url
  }

  /** Where the tokens of a request in this dialect are counted; undefined where that is not possible. */
  countUrl(dialect: WireId): string | undefined {
    const path = this.provider.counts?.[dialect]
    const said = typeof path === 'function' ? path(this.target.model, false, this.#parts.settings) : path
    return said === undefined || /^https?:/.test(said) ? said : this.origin + said
  }

  /** The address of a place, or undefined where the provider has none. */
  place(place: Place): string | undefined {
    const path = this.provider.places?.[place]
    const said = typeof path === 'function' ? path(this.target.model, false, this.#parts.settings) : path
    return said === undefined ? undefined : this.origin + said
  }

  /** Headers of one request: the fixed ones, and those that the provider makes for each. */
  async authorized(request: Omit<Outgoing, 'headers'>): Promise<Readonly<Record<string, string>>> {
    const made = await this.provider.authorize?.(this.#parts.settings, { ...request, headers: this.headers })
    if (made) this.#made = made
    return { ...this.headers, ...made }
  }

  /**
   * The provider's quirks on a body in `dialect`; the body itself where it has none.
   * @param warn is told what the provider cannot be told
   */
  amend(dialect: WireId, body: Json, warn: Warn): Json {
    const amend = this.provider.amend?.[dialect]
    return amend ? amend(body, { settings: this.#parts.settings, model: this.target.model, warn }) : body
  }

  /** Whether a body in `dialect` has to be taken apart before it is sent. */
  amends(dialect: WireId): boolean {
    return this.#takesApart || this.provider.amend?.[dialect] !== undefined
  }

  /** The same way to another model of the same provider (a wildcard filled in). */
  forTarget(target: Target): Link {
    return target === this.target ? this : new Link({ ...this.#parts, target })
  }
}

function originOf(url: string): string {
  const end = url.indexOf('/', 8)
  return end < 0 ? url : url.slice(0, end)
}

/** A header holds visible ASCII; anything else a name may hold is shown as `?`. */
export const visible = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 500)
