/**
 * A certificate from an ACME authority (RFC 8555): asked for at the start, kept in the data folder, renewed by itself.
 * The protocol is acme-client's; when to ask, what to keep and what to say when it fails is ours.
 */
import { createHash } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import https from 'node:https'
import { join } from 'node:path'
import acme from 'acme-client'
import type { TlsConfig } from '../../config/tls.ts'
import { runHook } from './dns-hook.ts'
import { type Pair, pairOf } from './pair.ts'
import { selfSigned } from './self-signed.ts'

export interface AcmeOptions {
  source: Extract<TlsConfig['source'], { kind: 'acme' }>
  dataDir: string
  now(): number
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export interface Acme {
  /** The one that is kept; where there is none yet, one of our own making that nobody trusts, until the first has come. */
  pair: Pair
  /** Asks for one where it is time, now and from then on. */
  start(renewed: (pair: Pair) => void): void
  challenge(token: string): string | undefined
  stop(): void
}

const LOOK_MS = 3_600_000
/** Let's Encrypt lets a name fail five times in an hour. */
const FIRST_PAUSE_MS = 15 * 60_000
const LONGEST_PAUSE_MS = 12 * 3_600_000

/** @throws Error with a sentence for the operator where the data folder or `directory_ca` can't be used */
export async function startAcme(options: AcmeOptions): Promise<Acme> {
  const { source, dataDir, now, info, warn } = options
  // Another authority, or other names: another certificate. The account is the authority's.
  const folder = join(dataDir, `acme-${short(source.directory)}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const set = short([...source.domains].sort().join(' '))
  const where = { cert: join(folder, `${set}.crt`), key: join(folder, `${set}.key`) }
  const ca = source.directoryCa === undefined ? undefined : await readFile(source.directoryCa, 'utf8')
  const answers = new Map<string, string>()
  const temporary = await mkdir(join(folder, 'temporary'), { recursive: true, mode: 0o700 }).then(() =>
    selfSigned(join(folder, 'temporary'), source.domains, now()),
  )
  const kept = await readKept(where)
  let pair = kept ?? temporary
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  let failures = 0

  const due = (): boolean => {
    if (pair === temporary) return true
    const before = source.renewBefore ?? (pair.validTo - pair.validFrom) / 3
    return pair.validTo - now() < before
  }

  async function look(renewed: (pair: Pair) => void): Promise<void> {
    let pause = LOOK_MS
    if (due()) {
      try {
        pair = await order(source, folder, where, answers, ca)
        failures = 0
        info('The authority has given a certificate.', { domains: source.domains, directory: source.directory })
        if (!stopped) renewed(pair)
      } catch (cause) {
        pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++)
        warn('The authority gave no certificate: it is asked again later.', {
          domains: source.domains,
          told: told(cause),
          again_in_s: pause / 1000,
          hint:
            source.dnsHook === undefined
              ? 'HTTP-01: the authority must reach port 80 of these domains, and it must lead to `redirect_port`.'
              : 'DNS-01: look at what the hook says.',
        })
      }
    }
    if (stopped) return
    timer = setTimeout(() => void look(renewed), pause)
    timer.unref()
  }

  return {
    pair,
    start: (renewed) => void look(renewed),
    challenge: (token) => answers.get(token),
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

async function order(
  source: AcmeOptions['source'],
  folder: string,
  where: { cert: string; key: string },
  answers: Map<string, string>,
  ca: string | undefined,
): Promise<Pair> {
  // The library has one HTTP client for the whole process, and so have we one authority.
  if (ca !== undefined) acme.axios.defaults.httpsAgent = new https.Agent({ ca })
  acme.axios.defaults.timeout = 30_000
  const client = new acme.Client({ directoryUrl: source.directory, accountKey: await accountKey(folder) })
  const [first = '', ...others] = source.domains
  const key = await acme.crypto.createPrivateEcdsaKey('P-256')
  const [, csr] = await acme.crypto.createCsr({ commonName: first, altNames: [first, ...others] }, key)
  const recordOf = (domain: string) => `_acme-challenge.${domain.replace(/^\*\./, '')}`
  const cert = await client.auto({
    csr,
    termsOfServiceAgreed: true,
    ...(source.email === undefined ? {} : { email: source.email }),
    // What we see from here says little about what the authority sees.
    skipChallengeVerification: true,
    challengePriority: [source.dnsHook === undefined ? 'http-01' : 'dns-01'],
    challengeCreateFn: async ({ identifier }, challenge, answer) => {
      if (source.dnsHook !== undefined) await runHook(source.dnsHook, 'set', recordOf(identifier.value), answer)
      else answers.set(challenge.token, answer)
    },
    challengeRemoveFn: async ({ identifier }, challenge, answer) => {
      if (source.dnsHook !== undefined) await runHook(source.dnsHook, 'remove', recordOf(identifier.value), answer)
      else answers.delete(challenge.token)
    },
  })
  const pair = pairOf(cert, key.toString(), where)
  await writeSecret(where.key, pair.key)
  await writeFile(where.cert, pair.cert)
  return pair
}

async function accountKey(folder: string): Promise<Buffer> {
  const path = join(folder, 'account.key')
  try {
    return await readFile(path)
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ENOENT') throw cause
    const key = await acme.crypto.createPrivateEcdsaKey('P-256')
    await writeSecret(path, key.toString())
    return key
  }
}

async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 })
  await chmod(path, 0o600)
}

async function readKept(where: { cert: string; key: string }): Promise<Pair | undefined> {
  try {
    return pairOf(await readFile(where.cert, 'utf8'), await readFile(where.key, 'utf8'), where)
  } catch {
    return undefined
  }
}

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

/** The library's errors may hold whole requests. */
const told = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause)).slice(0, 500)
