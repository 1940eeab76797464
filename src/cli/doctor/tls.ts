/** How callers' connections are encrypted: by trying, not by reading the configuration. */
import { isIP } from 'node:net'
import tls from 'node:tls'
import { error, type Finding, note, ok, warn } from './finding.ts'

const PATIENCE = 5_000
const DAY = 86_400_000
/** A certificate that ends sooner than this is told of. */
const SOON_DAYS = 21

type Version = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

interface Shaken {
  protocol: string | null
  authorized: boolean
  why: string
  validTo: number
}

/** A handshake with this version alone; undefined where there is none. */
function shake(host: string, port: number, version: Version): Promise<Shaken | undefined> {
  return new Promise((resolve) => {
    const socket = tls.connect({
      ...{ host, port, minVersion: version, maxVersion: version, rejectUnauthorized: false, timeout: PATIENCE },
      ...(isIP(host) ? {} : { servername: host }),
    })
    const end = (said: Shaken | undefined) => {
      socket.destroy()
      resolve(said)
    }
    socket.on('secureConnect', () => {
      const { valid_to } = socket.getPeerCertificate()
      const why = String(socket.authorizationError ?? '')
      end({ protocol: socket.getProtocol(), authorized: socket.authorized, why, validTo: Date.parse(valid_to) })
    })
    socket.on('error', () => end(undefined))
    socket.on('timeout', () => end(undefined))
  })
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/

/** @param now ms since the epoch */
export async function encryption(url: URL, now: number): Promise<Finding[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (url.protocol !== 'https:') {
    if (LOOPBACK.test(url.hostname))
      return [note('tls.none', `${url.origin} is not encrypted, and reached from this machine only.`)]
    return [
      error(
        'tls.none',
        `${url.origin} is not encrypted.`,
        'Keys, prompts and answers can be read on the way.',
        'tollgate.tls: { cert: …, key: … } or { acme: … } in tollgate.yaml (docs/tls.md)',
      ),
    ]
  }
  const port = Number(url.port || 443)
  const found: Finding[] = []
  const versions: Version[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
  const shaken = new Map<Version, Shaken>()
  for (const version of versions) {
    const said = await shake(host, port, version)
    if (said && said.protocol === version) shaken.set(version, said)
  }
  const old = ['TLSv1', 'TLSv1.1'].filter((version) => shaken.has(version as Version))
  if (old.length > 0)
    found.push(
      error(
        'tls.versions',
        `${old.join(' and ')} is taken.`,
        'It is broken (RFC 8996).',
        'end TLS at Tollgate, or set ssl_protocols TLSv1.2 TLSv1.3 at the proxy in front',
      ),
    )
  else if (shaken.size === 0)
    return [
      error(
        'tls.none',
        `No handshake with ${host}:${port} came about.`,
        'Nobody can come in.',
        'look into the log of the gateway, and at the certificate that it names',
      ),
    ]
  else found.push(ok('tls.versions', `It takes ${[...shaken.keys()].join(' and ')} only.`))
  const shown = shaken.get('TLSv1.3') ?? ([...shaken.values()].at(-1) as Shaken)
  const days = Math.floor((shown.validTo - now) / DAY)
  if (days < 0)
    found.push(
      error(
        'tls.expiry',
        'The certificate has ended.',
        'Clients refuse it, or have learned to ignore it.',
        'renew it; with tollgate.tls.acme that is done by itself',
      ),
    )
  else if (days < SOON_DAYS)
    found.push(
      warn(
        'tls.expiry',
        `The certificate ends in ${days} days.`,
        'After that clients refuse it.',
        'renew it; with tollgate.tls.acme that is done by itself',
      ),
    )
  else found.push(ok('tls.expiry', `The certificate is good for ${days} days.`))
  found.push(
    shown.authorized
      ? ok('tls.chain', 'The certificate is trusted by this machine.')
      : warn(
          'tls.chain',
          `The certificate is not trusted by this machine (${shown.why}).`,
          'Who can’t check it takes any other one as well.',
          'give clients its authority (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS), or take a public certificate: tollgate.tls.acme',
        ),
  )
  return found
}
