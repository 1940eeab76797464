/** `tollgate.admin`: where the gateway is managed, from where, and how people log in there. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { Secret } from '../secrets/secret.ts'
import { ranges } from './auth.ts'
import type { Env } from './interpolate.ts'

/** `127.0.0.1:4001`, `[::1]:4001`, `localhost:4001`, or a port at the loopback. */
export function readListen(said: string | number): { host: string; port: number } | undefined {
  if (typeof said === 'number' || /^\d+$/.test(said)) return portOf('127.0.0.1', String(said))
  const [, six, name, port = ''] = /^(?:\[([^\]]+)\]|([^\s:[\]/]+)):(\d+)$/.exec(said) ?? []
  if (six !== undefined) return isIP(six) === 6 ? portOf(six, port) : undefined
  return name === undefined ? undefined : portOf(name, port)
}

const portOf = (host: string, said: string) => (Number(said) <= 65_535 ? { host, port: Number(said) } : undefined)

const seconds = (usual: number, description: string) =>
  z
    .number()
    .min(60)
    .max(30 * 86_400)
    .default(usual)
    .describe(`${description} In seconds.`)

export const admin = z
  .strictObject({
    listen: z
      .union([z.string(), z.number()])
      .refine((said) => readListen(said) !== undefined, 'must be an address with a port, such as 127.0.0.1:4001')
      .optional()
      .describe(
        'An address of its own for the management: it answers there alone, and models are called at the other one alone. Encrypted as the other one is. Default: one address for both.',
      ),
    allowed_ips: ranges('Addresses and ranges that may manage or log in, whatever they have to show.').optional(),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'What people open in their browsers: passkeys are for its host, and providers of SSO send people back there. Default: `PROXY_BASE_URL`, else `localhost` with the port that listens.',
      ),
    require_mfa: z
      .boolean()
      .default(false)
      .describe(
        'Whether everybody who logs in needs a second factor: without one he can do nothing but set one up. Whoever has one always needs it.',
      ),
    session_idle: seconds(1_800, 'A login ends when nothing was asked for so long.'),
    session_longest: seconds(43_200, 'A login ends after so long in any case.'),
    invitation: seconds(604_800, 'How long an invitation holds.'),
  })
  .prefault({})
  .describe('Where the gateway is managed, and how people log in there (docs/admin.md).')

/** As the rest of the house reads it. Times in ms. */
export interface AdminConfig {
  listen: { host: string; port: number } | undefined
  allowed: readonly string[] | undefined
  /** An origin, perhaps with a path; no trailing slash. */
  url: string | undefined
  requireMfa: boolean
  idleMs: number
  longestMs: number
  invitationMs: number
  /** Whoever stands in the environment (LiteLLM's `UI_USERNAME` and `UI_PASSWORD`). */
  login: { user: string; password: Secret } | undefined
}

export function adminOf(said: z.output<typeof admin>, env: Env): AdminConfig {
  const base = said.url ?? (env.PROXY_BASE_URL && URL.canParse(env.PROXY_BASE_URL) ? env.PROXY_BASE_URL : undefined)
  return {
    listen: said.listen === undefined ? undefined : readListen(said.listen),
    allowed: said.allowed_ips,
    url: base?.replace(/\/+$/, ''),
    requireMfa: said.require_mfa,
    idleMs: said.session_idle * 1000,
    longestMs: said.session_longest * 1000,
    invitationMs: said.invitation * 1000,
    login: env.UI_PASSWORD ? { user: env.UI_USERNAME || 'admin', password: new Secret(env.UI_PASSWORD) } : undefined,
  }
}
