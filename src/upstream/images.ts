/**
 * Images that a caller names by URL, fetched for targets that take only bytes. The one place where a caller has a say in
 * an address, so nothing private can be reached by it: the name is resolved once, each address is checked, and the
 * connection goes to a checked address and no other (no second look-up that could answer differently, no redirect).
 */
import { lookup } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import ipaddr from 'ipaddr.js'
import { Refusal } from '../core/refusal.ts'

export interface ImageRules {
  /** Hosts (`name` or `name:port`) that may be private: the operator's own. */
  hosts: readonly string[]
  maxBytes: number
  timeoutMs: number
}

export interface FetchedImage {
  mediaType: string
  /** base64 */
  data: string
}

const TYPES = /^image\/(png|jpeg|webp|gif)$/

const refused = (why: string): Refusal =>
  new Refusal('invalid_request', `An image can't be fetched for this model: ${why}. Send it as a data: URL instead.`, {
    param: 'messages',
  })

/** @throws Refusal invalid_request; what it says is the same for all hosts that may not be asked */
export async function fetchImage(said: string, rules: ImageRules, signal: AbortSignal): Promise<FetchedImage> {
  const url = parse(said)
  const addresses = await checkedAddresses(url, rules)
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(rules.timeoutMs)])
  return await new Promise<FetchedImage>((resolve, reject) => {
    const pinned = ((
      _host: string,
      options: { all?: boolean },
      answer: (e: null, a: unknown, family?: number) => void,
    ) => (options.all ? answer(null, addresses) : answer(null, addresses[0]?.address, addresses[0]?.family))) as never
    const { get } = url.protocol === 'https:' ? https : http
    const request = get(
      url,
      { lookup: pinned, signal: bounded, headers: { accept: 'image/*', 'user-agent': 'tollgate' } },
      (response) => {
        const mediaType = (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
        const fail = (why: string) => {
          request.destroy()
          reject(refused(why))
        }
        if (response.statusCode !== 200)
          return fail(`its server answers ${response.statusCode} (redirects are not followed)`)
        if (!TYPES.test(mediaType)) return fail('it is not a PNG, JPEG, WebP or GIF')
        const parts: Buffer[] = []
        let length = 0
        response.on('data', (part: Buffer) => {
          length += part.length
          if (length > rules.maxBytes) return fail(`it is larger than ${Math.floor(rules.maxBytes / 1024 / 1024)} MB`)
          parts.push(part)
        })
        response.on('end', () => resolve({ mediaType, data: Buffer.concat(parts, length).toString('base64') }))
        response.on('error', () => fail('its connection broke'))
      },
    )
    request.on('error', () => reject(refused('its server did not answer in time')))
  })
}

function parse(said: string): URL {
  const url = URL.canParse(said) ? new URL(said) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw refused('its URL is not http or https')
  if (url.username || url.password) throw refused('its URL holds credentials')
  return url
}

async function checkedAddresses(url: URL, rules: ImageRules): Promise<{ address: string; family: number }[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const found = await lookup(host, { all: true }).catch(() => [])
  if (found.length === 0) throw refused('its host is not found')
  const allowed = rules.hosts.includes(url.host) || rules.hosts.includes(host)
  // One private address is enough to refuse: which of them is connected to is not ours to guess.
  if (!allowed && !found.every(({ address }) => isPublic(address))) throw refused('its host may not be asked')
  return found
}

/** `::ffff:10.0.0.1` is 10.0.0.1, and everything that is not plain unicast (loopback, private, link-local, …) is not public. */
export const isPublic = (address: string): boolean =>
  ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
