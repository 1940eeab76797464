/** E-mail by SMTP. */
import type { Secret } from '../../secrets/secret.ts'
import { type Channel, PermanentError } from '../channel.ts'
import { linesOf, titleOf } from '../message.ts'

export interface Smtp {
  host: string
  port: number
  user: string | undefined
  password: Secret | undefined
  /** From the first byte on; else as soon as the server offers it. */
  tls: boolean
  /** Sent without encryption where the server offers none. */
  plain: boolean
  from: string
  to: readonly string[]
}

const CONNECT_MS = 10_000

export const email = (name: string, smtp: Smtp): Channel => ({
  name,
  kind: 'email',
  async send(message, signal) {
    const { host, port, user, password, tls, plain, from, to } = smtp
    // A start of the gateway need not wait for it: it takes a tenth of all that is loaded.
    const { createTransport } = await import('nodemailer')
    const transport = createTransport({
      ...{ host, port, secure: tls, requireTLS: !tls && !plain },
      ...(user === undefined ? {} : { auth: { user, pass: password?.reveal() ?? '' } }),
      ...{ connectionTimeout: CONNECT_MS, greetingTimeout: CONNECT_MS, socketTimeout: CONNECT_MS },
      // Nothing that a message says is fetched or read from a file.
      ...{ disableFileAccess: true, disableUrlAccess: true },
    })
    const end = () => transport.close()
    signal.addEventListener('abort', end, { once: true })
    try {
      await transport.sendMail({
        from,
        to: [...to],
        subject: titleOf(message).replace(/[\r\n]+/g, ' '),
        text: `${linesOf(message).join('\n')}\n${message.url === undefined ? '' : `\n${message.url}\n`}`,
      })
    } catch (cause) {
      const { responseCode } = cause as { responseCode?: number }
      const told = `The mail server ${host}:${port} says: ${cause instanceof Error ? cause.message : String(cause)}`
      throw responseCode !== undefined && responseCode >= 500 ? new PermanentError(told) : new Error(told)
    } finally {
      signal.removeEventListener('abort', end)
      transport.close()
    }
  },
})
