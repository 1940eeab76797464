/** PagerDuty's Events API v2: one incident for each alert, which ends with it. */
import type { Secret } from '../../secrets/secret.ts'
import { type Channel, post, type Sending } from '../channel.ts'
import { linesOf, type Message } from '../message.ts'

export const pagerduty = (name: string, key: Secret, base: string, sending: Sending): Channel => ({
  name,
  kind: 'pagerduty',
  async send(message, signal) {
    for (const alert of message.alerts) {
      const one: Message = { ...message, alerts: [alert] }
      const event = {
        routing_key: key.reveal(),
        event_action: message.state === 'resolved' ? 'resolve' : 'trigger',
        // The same for as long as it holds: a repeat is no second incident. 255 characters at most.
        dedup_key: `tollgate ${alert.id}`.slice(0, 255),
        payload: {
          summary: linesOf(one).join(' ').slice(0, 1_024),
          source: message.url ?? 'tollgate',
          severity: alert.severity,
          timestamp: new Date(alert.since).toISOString(),
          class: alert.rule,
          component: alert.subject,
          custom_details: { rule: alert.rule, subject: alert.subject, value: alert.value, limit: alert.limit },
        },
      }
      await post(sending, `${base}/v2/enqueue`, JSON.stringify(event), signal)
    }
  },
})
