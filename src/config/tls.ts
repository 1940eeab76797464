/** `tollgate.tls`: how callers' connections are encrypted, where the certificate comes from, and who has to show one. */
import { z } from 'zod'

const path = z.string().min(1)

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory'

const acme = z
  .strictObject({
    domains: z
      .array(z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/i, 'must be a domain such as llm.example.com'))
      .min(1)
      .max(100)
      .describe('The names that the certificate is for.'),
    email: z.string().min(3).optional().describe('Where the authority writes to when something is wrong.'),
    directory: z.url().default(LETS_ENCRYPT).describe("The authority's directory. Default: Let's Encrypt."),
    agree: z
      .boolean()
      .default(false)
      .describe("Whether you agree to the authority's terms of service. It has to be `true`."),
    dns_hook: path
      .optional()
      .describe(
        'A program that sets the DNS record of a DNS-01 challenge: called with `set` or `remove`, the name of the TXT record and its value. It ends when the record can be seen. Without one HTTP-01 is used: the authority asks at port 80 (`redirect_port`).',
      ),
    directory_ca: path
      .optional()
      .describe(
        "A file with the certificate that the authority's own server is checked against (a private ACME server).",
      ),
    renew_before: z
      .number()
      .positive()
      .max(365)
      .optional()
      .describe('Days before the end at which a new one is asked for. Default: a third of its life.'),
  })
  .describe('A certificate from an ACME authority, asked for at the start and renewed by itself.')

export const tls = z
  .strictObject({
    cert: path
      .optional()
      .describe(
        'A file with the certificate and its chain (PEM). Read anew when it changes. Default: `SSL_CERTFILE_PATH`.',
      ),
    key: path.optional().describe('A file with its key (PEM). Default: `SSL_KEYFILE_PATH`.'),
    acme: acme.optional(),
    self_signed: z
      .union([z.boolean(), z.array(z.string().min(1)).min(1).max(100)])
      .optional()
      .describe(
        'A certificate of our own making, kept in the data folder: clients must be told to trust it. `true`, or the names and addresses that it is for.',
      ),
    tls_min: z
      .enum(['1.2', '1.3'])
      .default('1.3')
      .describe(
        'The oldest version of TLS that is spoken. 1.2 only with suites that keep past traffic secret (ECDHE).',
      ),
    client_ca: path
      .optional()
      .describe('A file with the authorities whose certificates callers show (mutual TLS). Read anew when it changes.'),
    client_certs: z
      .enum(['required', 'optional'])
      .default('required')
      .describe('With `client_ca`: whether a connection without a certificate is refused at once.'),
    redirect_port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .optional()
      .describe(
        'A port where plain HTTP is answered with the HTTPS address, and where HTTP-01 challenges are. Default: none; 80 with `acme` and without `dns_hook`.',
      ),
    hsts: z
      .number()
      .int()
      .min(0)
      .default(31_536_000)
      .describe('How long browsers are told to use HTTPS only (`Strict-Transport-Security`), in seconds. 0: not told.'),
  })
  .refine((t) => (t.cert === undefined) === (t.key === undefined), 'needs both `cert` and `key`')
  .refine(
    (t) => [t.cert, t.acme, t.self_signed || undefined].filter((source) => source !== undefined).length <= 1,
    'has more than one source of a certificate: take one of `cert` and `key`, `acme`, `self_signed`',
  )
  .refine(
    (t) => t.client_ca !== undefined || t.client_certs !== 'optional',
    'has `client_certs` without a `client_ca` that they are checked against',
  )
  .refine(
    (t) => t.acme?.agree !== false,
    'needs `acme.agree: true`: you agree to the terms of service of the authority',
  )
  .refine(
    (t) => t.acme?.dns_hook !== undefined || !t.acme?.domains.some((domain) => domain.startsWith('*')),
    'needs `acme.dns_hook`: a certificate for `*.…` is given for DNS-01 challenges only',
  )
  .optional()
  .describe('Encrypted connections of callers. Default: none, which is allowed at the loopback only.')

/** As the rest of the house reads it. Days and seconds have become ms. */
export interface TlsConfig {
  source:
    | { kind: 'files'; cert: string; key: string }
    | { kind: 'self-signed'; names: readonly string[] }
    | {
        kind: 'acme'
        domains: readonly string[]
        email: string | undefined
        directory: string
        dnsHook: string | undefined
        directoryCa: string | undefined
        /** ms; undefined: a third of the certificate's life. */
        renewBefore: number | undefined
      }
  min: '1.2' | '1.3'
  clients: { ca: string; required: boolean } | undefined
  redirectPort: number | undefined
  /** Seconds, as the header says it; 0: no header. */
  hsts: number
}

/** @param said undefined where the file has no such section @param env for LiteLLM's `SSL_CERTFILE_PATH` */
export function tlsOf(
  said: z.infer<typeof tls>,
  env: Readonly<Record<string, string | undefined>>,
): TlsConfig | undefined {
  const source = sourceOf(said, env)
  if (!source) return undefined
  const plainPort = source.kind === 'acme' && source.dnsHook === undefined ? 80 : undefined
  return {
    source,
    min: said?.tls_min ?? '1.3',
    clients:
      said?.client_ca === undefined ? undefined : { ca: said.client_ca, required: said.client_certs === 'required' },
    redirectPort: said?.redirect_port ?? plainPort,
    hsts: said?.hsts ?? 31_536_000,
  }
}

const DAY = 86_400_000

function sourceOf(
  said: z.infer<typeof tls>,
  env: Readonly<Record<string, string | undefined>>,
): TlsConfig['source'] | undefined {
  if (said?.acme) {
    const { domains, email, directory, dns_hook: dnsHook, directory_ca: directoryCa, renew_before: days } = said.acme
    const renewBefore = days === undefined ? undefined : days * DAY
    return { kind: 'acme', domains, email, directory, dnsHook, directoryCa, renewBefore }
  }
  if (said?.self_signed) {
    const names = Array.isArray(said.self_signed) ? said.self_signed : ['localhost', '127.0.0.1', '::1']
    return { kind: 'self-signed', names }
  }
  const cert = said?.cert ?? env.SSL_CERTFILE_PATH
  const key = said?.key ?? env.SSL_KEYFILE_PATH
  return cert && key ? { kind: 'files', cert, key } : undefined
}
