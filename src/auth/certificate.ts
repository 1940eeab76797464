/** The client's certificate: from the connection itself, or from the header of a trusted proxy where TLS ends before us. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { MtlsSettings } from '../config/auth.ts'
import { starMatch } from '../core/key.ts'
import type { PeerCertificate } from '../core/peer.ts'
import { Refusal } from '../core/refusal.ts'
import type { Badges } from './badges.ts'
import { factsOf } from './said.ts'
import { ABSENT, type Asking, type Way } from './way.ts'

/** What of a certificate names somebody. Without a header it is that of the connection, which TLS has verified. */
type Shown = Pick<PeerCertificate, 'subject' | 'names'>

const LONGEST = 32 * 1024
/** What `$ssl_client_verify` and its kin say of a certificate that was verified. */
const VERIFIED = /^(SUCCESS|0)$/i

export function certificateWay(said: MtlsSettings, badges: Badges, now: () => number): Way {
  const authorities = said.ca === undefined ? undefined : authoritiesIn(said.ca)
  const find = (asking: Asking): Shown | Refusal | undefined => {
    if (said.header === undefined && said.subject_header === undefined) return asking.certificate
    // Anybody can write a header: that of whoever is no trusted proxy is not read at all.
    if (!asking.isProxied) return undefined
    if (said.verify_header !== undefined && !VERIFIED.test(asking.headers.get(said.verify_header) ?? ''))
      return undefined
    if (said.header === undefined) {
      const subject = asking.headers.get(said.subject_header as string)
      return subject ? { subject: subject.slice(0, LONGEST), names: [] } : undefined
    }
    const pem = asking.headers.get(said.header)
    return pem ? read(pem, authorities, now()) : undefined
  }
  return {
    told: "a client's certificate",
    try(asking) {
      const peer = find(asking)
      if (peer === undefined) return ABSENT
      if (peer instanceof Refusal) return peer
      const name = nameOf(peer, said.user)
      if (name === undefined)
        return new Refusal('forbidden', `The client's certificate has no ${said.user} that names its user.`)
      if (said.allow && !said.allow.some((one) => one === name || starMatch(one, name) !== undefined))
        return new Refusal('forbidden', `The client's certificate of '${name.slice(0, 100)}' is not let in here.`)
      const own = said.users && Object.hasOwn(said.users, name) ? said.users[name] : undefined
      return badges.of({ way: 'cert', name, ...factsOf({ user: name }, said.as, own) })
    },
  }
}

/** @throws Error with a sentence for the operator */
function authoritiesIn(path: string): X509Certificate[] {
  try {
    const pems = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    if (pems.length === 0) throw new Error('it holds no certificate')
    return pems.map((pem) => new X509Certificate(pem))
  } catch (cause) {
    throw new Error(`The file ${path} (tollgate.auth, mtls.ca) can't be read: ${(cause as Error).message}.`)
  }
}

function read(text: string, authorities: readonly X509Certificate[] | undefined, now: number): Shown | Refusal {
  const wrong = (why: string) => new Refusal('invalid_credentials', `The client's certificate ${why}.`)
  if (text.length > LONGEST) return wrong('is too long')
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(decodeURIComponent(text))
  } catch {
    return wrong('can not be read: the proxy has to send it as URL-encoded PEM')
  }
  if (Date.parse(certificate.validFrom) > now || Date.parse(certificate.validTo) < now) return wrong('is not valid now')
  if (authorities && !authorities.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey)))
    return wrong('is signed by none of the authorities that this gateway knows')
  return { subject: certificate.subject, names: certificate.subjectAltName?.split(', ') ?? [] }
}

function nameOf({ subject, names }: Shown, wanted: MtlsSettings['user']): string | undefined {
  if (wanted === 'subject') return subject.split('\n').join(',')
  if (wanted === 'cn') {
    const names = partsOf(subject).flatMap((part) => /^CN\s*=\s*(.+)$/s.exec(part)?.[1]?.trim() ?? [])
    // Of two nobody knows who is meant.
    return names.length === 1 ? names[0] : undefined
  }
  const prefix = { email: 'email:', dns: 'DNS:', uri: 'URI:' }[wanted]
  const found = names.filter((name) => name.startsWith(prefix))
  return found.length === 1 ? found[0]?.slice(prefix.length) : undefined
}

/** Of an RFC 2253 line (nginx, Envoy), or of one part in a line (Node). A comma that is escaped or quoted belongs to its value. */
function partsOf(subject: string): string[] {
  const parts = subject.includes('\n') ? subject.split('\n') : (subject.match(/(?:\\.|"[^"]*"|[^,+\\"])+/gs) ?? [])
  return parts.map((part) => part.trim())
}
