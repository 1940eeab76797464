/** A certificate of our own making, for machines that no authority knows. It is made once and kept, so that clients can trust it. */

import { chmod, readFile, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  X509Certificate as Parsed,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { type Pair, pairOf } from './pair.ts'

/** Apple's clients refuse what is valid for more than 825 days. */
const LIFE_MS = 820 * 86_400_000
/** A new one is made when less than this is left. */
const LEAST_LEFT_MS = 30 * 86_400_000

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** The one in the folder, where it is for these names and has time left; else a new one, kept there (key: mode 0600). */
export async function selfSigned(folder: string, names: readonly string[], now: number): Promise<Pair> {
  const where = { cert: join(folder, 'self-signed.crt'), key: join(folder, 'self-signed.key') }
  const kept = await read(where)
  if (kept && kept.validTo - now > LEAST_LEFT_MS && isFor(kept, names)) return kept
  const { cert, key } = await make(names, now)
  await writeFile(where.key, key, { mode: 0o600 })
  await chmod(where.key, 0o600)
  await writeFile(where.cert, cert)
  return pairOf(cert, key, where)
}

async function read(where: { cert: string; key: string }): Promise<Pair | undefined> {
  try {
    return pairOf(await readFile(where.cert, 'utf8'), await readFile(where.key, 'utf8'), where)
  } catch {
    return undefined
  }
}

const isFor = (pair: Pair, names: readonly string[]): boolean => {
  const extension = new Parsed(pair.cert).getExtension(SubjectAlternativeNameExtension)
  const has = new Set(extension?.names.items.map(({ value }) => value))
  return names.every((name) => has.has(name)) && has.size === names.length
}

async function make(names: readonly string[], now: number): Promise<{ cert: string; key: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString('hex'),
    name: `CN=Tollgate ${names[0]?.replace(/[^\w.:-]/g, '')}`,
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + LIFE_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new SubjectAlternativeNameExtension(names.map((name) => ({ type: isIP(name) ? 'ip' : 'dns', value: name }))),
    ],
  })
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd()}\n-----END PRIVATE KEY-----\n`
  return { cert: `${certificate.toString('pem')}\n`, key }
}
