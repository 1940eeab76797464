/** What an entry of the request audit says: who, what, when and what came of it, and nothing of what was said. Pure. */

/** The chains that there are, by their numbers in the database. */
export const CHAINS = { requests: 1, admin: 2 } as const
export type ChainName = keyof typeof CHAINS

export const chainName = (chain: number): ChainName => (chain === CHAINS.admin ? 'admin' : 'requests')

/** An attempt at a target, and what came of it. */
export type Tried = readonly [target: string, outcome: string]

/** An entry about one request. Whoever it names is named by a keyed digest. */
export interface RequestEntry {
  kind: 'request'
  id: string
  /** ISO 8601, when it began. */
  time: string
  /** Digests; undefined where there is none (the master key, nobody). */
  key?: string | undefined
  user?: string | undefined
  customer?: string | undefined
  team?: string | undefined
  ip?: string | undefined
  role?: string | undefined
  way?: string | undefined
  /** LiteLLM's call type. */
  call: string
  /** The gateway asked itself: `mirror`, `health_check`. */
  own?: string | undefined
  model?: string | undefined
  target?: string | undefined
  /** Keyed digest of the body as it came, and its length in bytes. */
  prompt?: string | undefined
  bytes: number
  input_tokens: number
  output_tokens: number
  /** Nano-dollars. */
  cost_nano: number
  ms: number
  upstream_ms?: number | undefined
  status: number
  outcome: string
  stream: boolean
  cache?: string | undefined
  guardrails?: readonly string[] | undefined
  attempts?: readonly Tried[] | undefined
}

/** Strangers who were refused too often to be told one by one. */
export interface FoldedEntry {
  kind: 'folded'
  /** ISO 8601, of the first and the last. */
  from: string
  to: string
  count: number
  /** By the code of the refusal. */
  outcomes: Readonly<Record<string, number>>
  /** Some of the addresses, as the configuration has them shown. */
  ips: readonly string[]
}

/** What could not be written. */
export interface GapEntry {
  kind: 'gap'
  from: string
  to: string
  count: number
  why: string
}

/** A gateway has begun, or ended, to write. `unclean`: the run before did not end in an orderly way. */
export interface RunEntry {
  kind: 'start' | 'stop'
  time: string
  version: string
  unclean?: boolean | undefined
  /** After so many entries they are signed. */
  signed_each?: number | undefined
  /** There was no key that signs, and one was made: of a chain that is not new somebody has removed it. */
  new_key?: boolean | undefined
}

/** How an address is written down. */
export const ADDRESSES = ['full', 'truncated', 'hashed', 'none'] as const
export type AddressRule = (typeof ADDRESSES)[number]

/** An address without its end: 24 bits are left of an IPv4 address and 48 of an IPv6 one. */
export function truncated(ip: string): string {
  const four = /^(?:::ffff:)?(\d+\.\d+\.\d+)\.\d+$/i.exec(ip)
  if (four) return `${four[1]}.0`
  const [head = '', tail] = ip.split('::')
  const groups = head.split(':').filter((part) => part !== '')
  if (tail === undefined) return `${groups.slice(0, 3).join(':')}::`
  const rest = tail.split(':').filter((part) => part !== '')
  const whole = [...groups, ...Array(Math.max(0, 8 - groups.length - rest.length)).fill('0'), ...rest]
  return `${whole.slice(0, 3).join(':')}::`
}
