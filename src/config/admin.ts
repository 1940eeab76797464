/** `tollgate.admin`: where the gateway is managed, and from where. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { ranges } from './auth.ts'

/** `127.0.0.1:4001`, `[::1]:4001`, `localhost:4001`, or a port at the loopback. */
export function readListen(said: string | number): { host: string; port: number } | undefined {
  if (typeof said === 'number' || /^\d+$/.test(said)) return portOf('127.0.0.1', String(said))
  const [, six, name, port = ''] = /^(?:\[([^\]]+)\]|([^\s:[\]/]+)):(\d+)$/.exec(said) ?? []
  if (six !== undefined) return isIP(six) === 6 ? portOf(six, port) : undefined
  return name === undefined ? undefined : portOf(name, port)
}

const portOf = (host: string, said: string) => (Number(said) <= 65_535 ? { host, port: Number(said) } : undefined)

export const admin = z
  .strictObject({
    listen: z
      .union([z.string(), z.number()])
      .refine((said) => readListen(said) !== undefined, 'must be an address with a port, such as 127.0.0.1:4001')
      .optional()
      .describe(
        'An address of its own for the management: it answers there alone, and models are called at the other one alone. Encrypted as the other one is. Default: one address for both.',
      ),
    allowed_ips: ranges('Addresses and ranges that may manage, whatever they have to show.').optional(),
  })
  .prefault({})
  .describe('Where the gateway is managed (docs/admin.md).')

/** As the rest of the house reads it. */
export interface AdminConfig {
  listen: { host: string; port: number } | undefined
  allowed: readonly string[] | undefined
}

export const adminOf = (said: z.output<typeof admin>): AdminConfig => ({
  listen: said.listen === undefined ? undefined : readListen(said.listen),
  allowed: said.allowed_ips,
})
