/** A way in, and how ways are put together. */
import type { PeerCertificate } from '../core/peer.ts'
import type { Principal } from '../core/principal.ts'
import { Refusal } from '../core/refusal.ts'

export interface Asking {
  request: Request
  /** Of the request, or with what stood elsewhere (a WebSocket's protocol). */
  headers: Headers
  /** Behind trusted proxies the client's. */
  ip: string | undefined
  /** Whether the connection is a trusted proxy's, whose headers are believed. */
  isProxied: boolean
  /** That the connection's other end has shown, and TLS has verified. */
  certificate: PeerCertificate | undefined
}

/** Nothing of this kind was sent. */
export const ABSENT = 'absent'
/** Nothing is wrong, and nothing is said of who it is (an address). */
export const PASSED = 'passed'

/** Somebody; or nobody; or what was wrong with what was sent. */
export type Verdict = Principal | typeof ABSENT | typeof PASSED | Refusal

export interface Way {
  /** For people: what to send. */
  told: string
  /** Never rejects but with what is wrong inside this house. */
  try(asking: Asking): Verdict | Promise<Verdict>
}

export const isPrincipal = (verdict: Verdict): verdict is Principal =>
  typeof verdict === 'object' && !(verdict instanceof Refusal)

/** The first that lets in; else what is wrong with what was sent. At once, where each of them answers at once. */
export function anyOf(ways: readonly Way[]): Way {
  const [only] = ways
  if (only && ways.length === 1) return only
  const from = (i: number, asking: Asking, worst: Verdict): Verdict | Promise<Verdict> => {
    let told = worst
    for (let at = i; at < ways.length; at++) {
      const verdict = (ways[at] as Way).try(asking)
      if (verdict instanceof Promise)
        return verdict.then((late) => (letsIn(late) ? late : from(at + 1, asking, worse(told, late))))
      if (letsIn(verdict)) return verdict
      told = worse(told, verdict)
    }
    return told
  }
  return { told: ways.map(({ told }) => told).join(', or '), try: (asking) => from(0, asking, ABSENT) }
}

const letsIn = (verdict: Verdict): boolean => verdict === PASSED || isPrincipal(verdict)

/**
 * Of two faults the one that says more. A wrong password comes first, so that nothing sent beside it hides that somebody
 * guesses; that a key is not known is said of every token that is no key, and an address is nobody's fault.
 */
function worse(a: Verdict, b: Verdict): Verdict {
  return weightOf(b) > weightOf(a) ? b : a
}

function weightOf(verdict: Verdict): number {
  if (!(verdict instanceof Refusal)) return 0
  if (verdict.code === 'address_forbidden') return 1
  if (verdict.code === 'invalid_api_key') return 2
  return verdict.code === 'invalid_credentials' || verdict.code === 'too_many_attempts' ? 4 : 3
}

/** Each of them has to let in. Who it is says the first that knows. */
export function allOf(ways: readonly Way[]): Way {
  const from = (i: number, asking: Asking, known: Verdict): Verdict | Promise<Verdict> => {
    let who = known
    for (let at = i; at < ways.length; at++) {
      const verdict = (ways[at] as Way).try(asking)
      if (verdict instanceof Promise)
        return verdict.then((late) => (letsIn(late) ? from(at + 1, asking, firstKnown(who, late)) : late))
      if (!letsIn(verdict)) return verdict
      who = firstKnown(who, verdict)
    }
    return who
  }
  return { told: ways.map(({ told }) => told).join(', and '), try: (asking) => from(0, asking, PASSED) }
}

const firstKnown = (a: Verdict, b: Verdict): Verdict => (isPrincipal(a) ? a : b)
