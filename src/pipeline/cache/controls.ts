/** What a request says of the cache: in its body (`cache`, taken out of it with the other wishes), its headers, its key. */
import type { CacheControls } from '../../core/cache-rules.ts'
import { Refusal } from '../../core/refusal.ts'
import { isObject } from '../../dialects/wire.ts'

/** LiteLLM's longest lives are weeks; more than a year is a slip of the pen. */
const LONGEST_S = 366 * 86_400
const LONGEST_NAMESPACE = 128
const NAMES = ['ttl', 's-maxage', 'no-cache', 'no-store', 'namespace', 'use-cache'] as const

/** @throws Refusal invalid_request */
export function controlsIn(said: unknown): CacheControls {
  if (!isObject(said)) throw wrong('', "must be an object such as {'no-cache': true}")
  const controls: CacheControls = {}
  for (const [name, value] of Object.entries(said)) {
    if (value === null) continue
    switch (name) {
      case 'ttl':
        controls.ttlMs = seconds(name, value)
        break
      case 's-maxage':
        controls.maxAgeMs = seconds(name, value)
        break
      case 'no-cache':
        controls.noCache = flag(name, value)
        break
      case 'no-store':
        controls.noStore = flag(name, value)
        break
      case 'use-cache':
        controls.useCache = flag(name, value)
        break
      case 'namespace':
        if (typeof value !== 'string' || value.length > LONGEST_NAMESPACE)
          throw wrong('.namespace', `must be a text of at most ${LONGEST_NAMESPACE} characters`)
        controls.namespace = value
        break
      default:
        throw wrong(`.${name.slice(0, 40)}`, `is not known: there are ${NAMES.join(', ')}`)
    }
  }
  return controls
}

/** The request's own `Cache-Control` (RFC 9111, 5.2.1); what it says of other caches is not for us. */
export function controlsInHeader(header: string | null): CacheControls | undefined {
  if (header === null) return undefined
  const controls: CacheControls = {}
  for (const said of header.toLowerCase().split(',')) {
    const [name, value] = said.trim().split('=')
    if (name === 'no-cache') controls.noCache = true
    else if (name === 'no-store') controls.noStore = true
    else if ((name === 's-maxage' || name === 'max-age') && /^\d{1,9}$/.test(value ?? ''))
      controls.maxAgeMs = Number(value) * 1_000
  }
  return controls
}

function seconds(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0) || value > LONGEST_S)
    throw wrong(`.${name}`, `must be seconds, from 0 to ${LONGEST_S}`)
  return value * 1_000
}

function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrong(`.${name}`, 'must be true or false')
  return value
}

const wrong = (where: string, what: string): Refusal =>
  new Refusal('invalid_request', `'cache${where}' ${what}.`, { param: `cache${where}` })
