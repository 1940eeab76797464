/** Where the certificate comes from, and its renewals. */
import type { TlsConfig } from '../../config/tls.ts'
import type { Encryption } from '../listen.ts'
import { type Acme, startAcme } from './acme.ts'
import { readPair, readText, watchFiles } from './files.ts'
import type { Pair } from './pair.ts'
import { selfSigned } from './self-signed.ts'

export interface CertificateOptions {
  tls: TlsConfig
  /** For what is made or fetched by us. */
  dataDir: string
  now(): number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
  /** ms between two looks at the files. */
  lookMs?: number
}

export interface Certificates {
  encryption: Encryption
  /** What an authority's HTTP-01 challenge at `/.well-known/acme-challenge/<token>` is answered with. */
  challenge(token: string): string | undefined
  /** Calls back with each other certificate, or other authorities of callers. With ACME the first one is asked for now. */
  start(renewed: (encryption: Encryption) => void): void
  /** The one that is shown now. */
  current(): Encryption
  stop(): void
}

/** Below this the log warns of the end of a certificate that is not renewed by us. */
const WARN_BEFORE_MS = 21 * 86_400_000

/** @throws Error with a sentence for the operator where there is no certificate to begin with */
export async function certificates(options: CertificateOptions): Promise<Certificates> {
  const { tls, dataDir, now, info, warn } = options
  const { source } = tls
  let acme: Acme | undefined
  const first = async (): Promise<Pair> => {
    if (source.kind === 'files') return await readPair(source)
    if (source.kind === 'self-signed') return await selfSigned(dataDir, source.names, now())
    acme = await startAcme({ ...options, source })
    return acme.pair
  }
  const caOf = async (): Promise<Encryption['clients']> =>
    tls.clients && { ca: await readAuthorities(tls.clients.ca), required: tls.clients.required }
  let encryption: Encryption = { pair: await first(), min: tls.min, hsts: tls.hsts, clients: await caOf() }
  const stops: { stop(): void }[] = []

  function noteEnd({ pair }: Encryption): void {
    const facts = { names: pair.names, valid_to: new Date(pair.validTo).toISOString() }
    if (pair.validTo <= now()) warn('The certificate is over: clients refuse it.', facts)
    else if (source.kind !== 'acme' && pair.validTo - now() < WARN_BEFORE_MS) warn('The certificate ends soon.', facts)
  }

  return {
    encryption,
    current: () => encryption,
    challenge: (token) => acme?.challenge(token),
    start: (renewed) => {
      noteEnd(encryption)
      const use = (next: Encryption) => {
        encryption = next
        renewed(next)
        info('The certificate is another one now.', {
          names: next.pair.names,
          valid_to: new Date(next.pair.validTo).toISOString(),
        })
        noteEnd(next)
      }
      const files = [
        ...(source.kind === 'files' ? [source.cert, source.key] : []),
        ...(tls.clients ? [tls.clients.ca] : []),
      ]
      const again = async () => {
        const pair = source.kind === 'files' ? await readPair(source) : encryption.pair
        use({ ...encryption, pair, clients: await caOf() })
      }
      const failed = (cause: Error) =>
        warn('A certificate file has changed and is not used: the one before stays.', { told: cause.message })
      if (files.length > 0) stops.push(watchFiles(files, again, failed, options.lookMs))
      if (source.kind === 'self-signed') {
        const daily = setInterval(() => void renewOwn(source.names), 86_400_000)
        daily.unref()
        stops.push({ stop: () => clearInterval(daily) })
      }
      acme?.start((pair) => use({ ...encryption, pair }))

      async function renewOwn(names: readonly string[]): Promise<void> {
        const pair = await selfSigned(dataDir, names, now()).catch((cause) => failed(cause))
        if (pair && pair.cert !== encryption.pair.cert) use({ ...encryption, pair })
      }
    },
    stop: () => {
      for (const one of stops) one.stop()
      acme?.stop()
    },
  }
}

async function readAuthorities(path: string): Promise<string> {
  const text = await readText(path)
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`${path} holds no certificate in PEM`)
  return text
}
