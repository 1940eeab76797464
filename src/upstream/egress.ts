/** Which addresses may be connected to. Pure: names and addresses in, a sentence why not out. */
import ipaddr from 'ipaddr.js'

export type Pattern =
  | { kind: 'host'; host: string; port: string | undefined }
  | { kind: 'below'; domain: string; port: string | undefined }
  | { kind: 'range'; range: ReturnType<typeof ipaddr.parseCIDR> }

export interface EgressRules {
  /** Undefined: everything that is configured. */
  only: readonly Pattern[] | undefined
  private: readonly Pattern[]
}

export interface Destination {
  /** In lower case, without brackets. */
  host: string
  port: string
  /** Whether the operator named it himself: then it may be in his house. */
  named: boolean
}

/** @param text `api.openai.com`, `*.azure.com`, `gpu1:11434`, `10.0.0.0/8` */
export function patternOf(text: string): Pattern {
  if (text.includes('/')) return { kind: 'range', range: ipaddr.parseCIDR(text) }
  const [, name = text, port] = /^(.*?)(?::(\d+))?$/.exec(text.startsWith('[') ? text : text.toLowerCase()) ?? []
  const host = name.replace(/^\[|\]$/g, '').toLowerCase()
  return host.startsWith('*.') ? { kind: 'below', domain: host.slice(1), port } : { kind: 'host', host, port }
}

/** Ranges that no upstream is in: metadata services of clouds, what reaches many, what reaches nobody. */
const NEVER = new Set(['linkLocal', 'multicast', 'broadcast', 'unspecified', 'reserved'])

/** Amazon's metadata service by IPv6 is in a range that is private otherwise. */
const METADATA = 'fd00:ec2::254'

/** Whether a name may be asked for at all. @returns why not, or undefined */
export function whyNotName(rules: EgressRules, to: Destination): string | undefined {
  // Ranges can only be judged by address.
  if (!rules.only || rules.only.some((p) => p.kind === 'range' || isNamed(p, to))) return undefined
  return `${to.host}:${to.port} is not among the hosts that may be connected to (tollgate.egress.only)`
}

/** Whether this address of a destination may be connected to. @returns why not, or undefined */
export function whyNotAddress(rules: EgressRules, to: Destination, address: string): string | undefined {
  if (!ipaddr.isValid(address)) return `${address} is no address`
  const parsed = ipaddr.process(address)
  const inRange = (p: Pattern) => p.kind === 'range' && parsed.kind() === p.range[0].kind() && parsed.match(p.range)
  const matches = (patterns: readonly Pattern[]) => patterns.some((p) => inRange(p) || isNamed(p, to))
  if (rules.only && !matches(rules.only))
    return `${to.host} leads to ${address}, which is not among what may be connected to (tollgate.egress.only)`
  const range = parsed.range()
  if (range === 'unicast') return undefined
  if (NEVER.has(range) || parsed.toString() === METADATA)
    return rules.private.some(inRange)
      ? undefined
      : `${to.host} leads to ${address}, where no model is (${range}): if one is, name the range in tollgate.egress.private`
  if (to.named || matches(rules.private)) return undefined
  return `${to.host} leads to the private address ${address}: if that is right, name it in tollgate.egress.private or as api_base`
}

function isNamed(pattern: Pattern, { host, port }: Destination): boolean {
  if (pattern.kind === 'range' || (pattern.port !== undefined && pattern.port !== port)) return false
  return pattern.kind === 'host' ? host === pattern.host : host.endsWith(pattern.domain)
}
