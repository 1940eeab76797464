/** `tollgate.audit` and `tollgate.retention`: what is written down, and how long it stays. */
import { z } from 'zod'
import { ADDRESSES, type AddressRule } from '../core/audit-entry.ts'

const days = (usual: number, description: string) =>
  z.number().int().min(0).max(36_500).default(usual).describe(`${description} In whole days; 0: for ever.`)

const SYSLOG = /^(udp|tcp|tls):\/\/(\[[\da-f:]+\]|[^\s:/?#[\]@]+)(:\d{1,5})?$/i

export const audit = z
  .strictObject({
    requests: z
      .boolean()
      .default(true)
      .describe(
        'Whether each request has an entry: who, what, when, from where, what it cost and what came of it, without its content. What is done to the gateway itself always has one.',
      ),
    addresses: z
      .enum(ADDRESSES)
      .default('truncated')
      .describe(
        'How the addresses of callers stand in entries, which cannot be changed later: `full`, `truncated` (without the last 8 bits of IPv4 and the last 80 of IPv6), `hashed` (a keyed digest, the same for the same address) or `none`.',
      ),
    on_full: z
      .enum(['drop_and_mark', 'refuse_requests'])
      .default('drop_and_mark')
      .describe(
        'What happens while entries cannot be written and 10,000 of them wait: `drop_and_mark` counts what is lost and says so in the audit itself, `refuse_requests` lets no request in that could not be written down.',
      ),
    checkpoint_entries: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(1_000)
      .describe('After so many entries their number is signed.'),
    checkpoint_minutes: z
      .number()
      .positive()
      .max(1_440)
      .default(15)
      .describe('And after so many minutes, where there is something new. At a stop it always is.'),
    anchors: z
      .strictObject({
        file: z
          .string()
          .min(1)
          .optional()
          .describe('A file that each signed checkpoint is appended to, as a line of JSON.'),
        webhook: z
          .url({ protocol: /^https?$/ })
          .optional()
          .describe('An address that each one is posted to, as JSON.'),
        log: z.boolean().default(false).describe('Whether each one is a line of the log.'),
      })
      .prefault({})
      .describe(
        'Where signed checkpoints are taken to, so that nobody who has this machine can cut the audit off unseen.',
      ),
    file: z
      .string()
      .min(1)
      .optional()
      .describe('A file that each entry is appended to, as a line of JSON. It may be moved away: a new one is begun.'),
    syslog: z
      .string()
      .regex(SYSLOG, 'must be udp://host:514, tcp://host:601 or tls://host:6514')
      .optional()
      .describe(
        'A syslog server that each entry is sent to (RFC 5424), as CEF: `udp://`, `tcp://` or `tls://`, with the port.',
      ),
  })
  .prefault({})
  .describe('Who did what, in a chain that cannot be changed unseen: docs/audit.md.')

export const retention = z
  .strictObject({
    audit: days(365, 'How long entries about requests are kept.'),
    admin_audit: days(0, 'How long entries about what was done to the gateway are kept.'),
  })
  .prefault({})
  .describe(
    'How long the audit is kept. Charges, responses and content say it themselves: `keep_charges`, `keep_responses`, `content_log.keep`.',
  )

export const contentLog = z
  .strictObject({
    keep: z.number().int().min(1).max(3_650).default(30).describe('How long it is kept, in days.'),
    most_kb: z
      .number()
      .int()
      .min(1)
      .max(65_536)
      .default(256)
      .describe(
        'The most that is kept of a request, and the same of its answer, in kilobytes (2^10 bytes). What is more is cut, and that is said.',
      ),
  })
  .prefault({})
  .describe(
    'What was said and answered, sealed, of keys, projects and teams whose metadata says `log_content: true`, and of nobody else: docs/privacy.md.',
  )

export const accessLog = z
  .string()
  .min(1)
  .optional()
  .describe(
    "A file for an access log in nginx's `combined` format with request and upstream time, or `stdout`: docs/access-log.md. Default: none is written.",
  )

/** As the rest of the house reads it. */
export interface AuditConfig {
  requests: boolean
  addresses: AddressRule
  onFull: 'drop_and_mark' | 'refuse_requests'
  checkpointEntries: number
  checkpointMs: number
  anchors: { file: string | undefined; webhook: string | undefined; log: boolean }
  file: string | undefined
  syslog: string | undefined
  /** Days; 0: for ever. */
  keep: { requests: number; admin: number }
}

export const auditOf = (said: z.infer<typeof audit>, keep: z.infer<typeof retention>): AuditConfig => ({
  requests: said.requests,
  addresses: said.addresses,
  onFull: said.on_full,
  checkpointEntries: said.checkpoint_entries,
  checkpointMs: said.checkpoint_minutes * 60_000,
  anchors: { file: said.anchors.file, webhook: said.anchors.webhook, log: said.anchors.log },
  file: said.file,
  syslog: said.syslog,
  keep: { requests: keep.audit, admin: keep.admin_audit },
})
