/**
 * A webhook of one's own: JSON, signed. The signature is of time and body (`t=…,v1=…`: HMAC-SHA256 of `time.body` in hex), so that
 * what was heard once can't be said again later.
 */
import { createHmac } from 'node:crypto'
import type { Alert } from '../../core/alert/lifecycle.ts'
import type { Secret } from '../../secrets/secret.ts'
import { type Channel, post, type Sending } from '../channel.ts'
import { type Message, titleOf } from '../message.ts'

export const webhook = (name: string, url: Secret, secret: Secret | undefined, sending: Sending): Channel => ({
  name,
  kind: 'webhook',
  send(message, signal) {
    const body = JSON.stringify(bodyOf(message))
    const at = Math.floor(sending.now() / 1_000)
    const headers: Record<string, string> = secret
      ? { 'x-tollgate-signature': `t=${at},v1=${signatureOf(secret.reveal(), at, body)}` }
      : {}
    return post(sending, url.reveal(), body, signal, headers)
  },
})

/** @param at seconds since the epoch */
export const signatureOf = (secret: string, at: number, body: string): string =>
  createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')

/** LiteLLM's names for its events of budgets, beside our own for all. */
const EVENTS: Readonly<Record<string, string>> = { budget: 'threshold_crossed', budget_spent: 'budget_crossed' }
const GROUPS: Readonly<Record<string, string>> = { customer: 'end_user', gateway: 'proxy' }

function bodyOf(message: Message): Record<string, unknown> {
  const [first] = message.alerts
  const [kind = '', ...id] = (first?.subject ?? '').split(':')
  return {
    event: EVENTS[message.rule] ?? message.rule,
    event_group: GROUPS[kind] ?? kind,
    event_message: first?.text ?? titleOf(message),
    ...(kind === 'key' ? { token: id.join(':') } : kind === '' ? {} : { [`${GROUPS[kind] ?? kind}_id`]: id.join(':') }),
    title: titleOf(message),
    state: message.state,
    rule: message.rule,
    severity: message.severity,
    time: new Date(message.at).toISOString(),
    alerts: message.alerts.map(shown),
  }
}

const shown = ({ id, subject, text, value, limit, since, resolvedAt, done }: Alert): Record<string, unknown> => ({
  ...{ id, subject, text, value, limit },
  since: new Date(since).toISOString(),
  resolved_at: resolvedAt === undefined ? undefined : new Date(resolvedAt).toISOString(),
  actions: done.map(({ action }) => action.kind),
})
