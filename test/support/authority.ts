/** A certificate authority of a test's own. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

export interface Issued {
  cert: string
  key: string
}

export interface Authority {
  /** PEM */
  ca: string
  issue(name: string, options?: { dns?: string[]; ip?: string[]; email?: string[]; days?: number }): Promise<Issued>
}

export async function makeAuthority(name = 'Test CA'): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  return {
    ca: root.toString('pem'),
    issue: async (subject, { dns = [], ip = [], email = [], days = 1 } = {}) => {
      const own = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
      const names = [
        ...dns.map((value) => ({ type: 'dns' as const, value })),
        ...ip.map((value) => ({ type: 'ip' as const, value })),
        ...email.map((value) => ({ type: 'email' as const, value })),
      ]
      const certificate: X509Certificate = await X509CertificateGenerator.create({
        serialNumber: serial(),
        subject: `CN=${subject},O=Example`,
        issuer: root.subject,
        notBefore: new Date(Date.now() - 60_000),
        notAfter: new Date(Date.now() + days * 86_400_000),
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [],
      })
      const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
      return {
        cert: certificate.toString('pem'),
        key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
      }
    },
  }
}

const serial = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString('hex')

/** Writes a pair into files of this name. */
export function writePair(folder: string, name: string, { cert, key }: Issued): { cert: string; key: string } {
  const where = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  writeFileSync(where.key, key, { mode: 0o600 })
  writeFileSync(where.cert, cert)
  return where
}
