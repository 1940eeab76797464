/** A certificate with its key, as two PEM texts that belong together. */
import { createPrivateKey, X509Certificate } from 'node:crypto'

export interface Pair {
  /** The certificate and, behind it, its chain. */
  cert: string
  key: string
  /** ms since the epoch. */
  validTo: number
  /** ms since the epoch. */
  validFrom: number
  /** `DNS:llm.example.com, IP Address:127.0.0.1` */
  names: string
}

/** @throws Error with a sentence for the operator: what is wrong with these two */
export function pairOf(cert: string, key: string, where: { cert: string; key: string }): Pair {
  const certificate = tried(() => new X509Certificate(cert), `${where.cert} holds no certificate in PEM`)
  const secret = tried(
    () => createPrivateKey(key),
    `${where.key} holds no private key in PEM, or one with a passphrase`,
  )
  if (!certificate.checkPrivateKey(secret))
    throw new Error(`${where.key} is not the key of the certificate in ${where.cert}`)
  return {
    cert,
    key,
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
    names: certificate.subjectAltName ?? certificate.subject,
  }
}

function tried<T>(make: () => T, sentence: string): T {
  try {
    return make()
  } catch {
    // What the parser says may quote the file.
    throw new Error(sentence)
  }
}
