/** `tollgate.egress`: where the gateway may connect to, and whom it trusts there. */
import { z } from 'zod'

const path = z.string().min(1)
const PATTERN =
  'A host (`api.openai.com`), all hosts below a domain (`*.openai.azure.com`), a host with its port (`gpu1.lan:11434`), or a range of addresses (`10.1.0.0/16`).'
const pattern = z
  .string()
  .regex(
    /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:\d{1,5})?$|^[\da-f.:]+\/\d{1,3}$|^\[[\da-f:.]+\](:\d{1,5})?$/i,
    'must be a host, `*.domain`, `host:port` or a range such as 10.1.0.0/16',
  )

const upstream = z.strictObject({
  ca: path
    .optional()
    .describe('A file with the authorities that its certificate is checked against, in place of the public ones.'),
  cert: path.optional().describe('A file with the certificate that we show there (mutual TLS), PEM.'),
  key: path.optional().describe('A file with its key, PEM.'),
  pins: z
    .array(
      z
        .string()
        .regex(/^sha256\/\/[A-Za-z0-9+/]{43}=$/, 'must be `sha256//` and the base64 of a public key, as curl has it'),
    )
    .min(1)
    .max(20)
    .optional()
    .describe(
      "Public keys of which its certificate must have one, as curl's `--pinnedpubkey` has them: `sha256//…=`. Checked beside everything else.",
    ),
})

export const egress = z
  .strictObject({
    only: z
      .array(pattern)
      .min(1)
      .max(1_000)
      .optional()
      .describe(`The only hosts that are connected to. ${PATTERN} Default: all that are configured.`),
    private: z
      .array(pattern)
      .max(1_000)
      .default([])
      .describe(
        `Hosts whose names may lead to private addresses although no \`api_base\` names them: a cloud's private endpoint. ${PATTERN}`,
      ),
    ca: path
      .optional()
      .describe(
        'A file with authorities of your own, trusted beside the public ones (PEM). `litellm_settings.ssl_verify` names the same.',
      ),
    upstreams: z
      .record(z.string().regex(/^https:\/\/[^/?#]+$/, 'must be an origin such as https://gpu1.lan:8443'), upstream)
      .default({})
      .describe(
        'What holds for single servers, by origin: `{ "https://gpu1.lan:8443": { ca: own-ca.crt, cert: me.crt, key: me.key } }`.',
      ),
  })
  .refine(
    ({ upstreams }) => Object.values(upstreams).every(({ cert, key }) => (cert === undefined) === (key === undefined)),
    'has an upstream with only one of `cert` and `key`',
  )
  .prefault({})
  .describe('Where the gateway may connect to, and whom it trusts there.')

/** As the rest of the house reads it: files by name. */
export interface EgressConfig {
  only: readonly string[] | undefined
  private: readonly string[]
  ca: string | undefined
  upstreams: Readonly<Record<string, z.infer<typeof upstream>>>
}
