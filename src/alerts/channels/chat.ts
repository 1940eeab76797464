/** Slack, Discord and Teams: a webhook each, and a shape each. What people read must not be code to what shows it. */
import type { Secret } from '../../secrets/secret.ts'
import { type Channel, post, type Sending } from '../channel.ts'
import { linesOf, type Message, titleOf } from '../message.ts'

const COLOURS = { info: '#3b82f6', warning: '#f59e0b', error: '#ef4444', critical: '#b91c1c' } as const
const GREEN = '#22c55e'

const colourOf = ({ state, severity }: Message): string => (state === 'resolved' ? GREEN : COLOURS[severity])

/** Slack's incoming webhooks (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks): text is 3,000 characters a block. */
export const slack = (name: string, url: Secret, sending: Sending): Channel => ({
  name,
  kind: 'slack',
  send: (message, signal) => {
    const text = linesOf(message).map(escapeSlack).join('\n').slice(0, 2_900)
    const title = escapeSlack(titleOf(message))
    const body = {
      text: title,
      attachments: [
        {
          color: colourOf(message),
          blocks: [{ type: 'section', text: { type: 'mrkdwn', text: `*${title}*\n${text}` } }],
        },
      ],
    }
    return post(sending, url.reveal(), JSON.stringify(body), signal)
  },
})

/** Slack's three: nobody's name becomes a link or calls a channel. */
const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Discord's webhooks (discord.com/developers/docs/resources/webhook#execute-webhook): an embed's description is 4,096 characters. */
export const discord = (name: string, url: Secret, sending: Sending): Channel => ({
  name,
  kind: 'discord',
  send: (message, signal) => {
    const body = {
      embeds: [
        {
          title: titleOf(message).slice(0, 250),
          description: linesOf(message).map(escapeMarkdown).join('\n').slice(0, 4_000),
          color: Number.parseInt(colourOf(message).slice(1), 16),
        },
      ],
      // Names in it call nobody.
      allowed_mentions: { parse: [] },
    }
    return post(sending, url.reveal(), JSON.stringify(body), signal)
  },
})

const escapeMarkdown = (text: string): string => text.replace(/[\\*_~`|>[\]()@]/g, '\\$&')

/** Teams' workflows take a message with an adaptive card (learn.microsoft.com: create incoming webhooks with Workflows). */
export const teams = (name: string, url: Secret, sending: Sending): Channel => ({
  name,
  kind: 'teams',
  send: (message, signal) => {
    const text = (said: string, more: object = {}) => ({
      type: 'TextBlock',
      text: escapeMarkdown(said),
      wrap: true,
      ...more,
    })
    const isBad = message.state !== 'resolved' && message.severity !== 'info'
    const body = {
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            body: [
              text(titleOf(message), { weight: 'Bolder', size: 'Medium', color: isBad ? 'Attention' : 'Good' }),
              ...linesOf(message).map((line) => text(line)),
            ],
          },
        },
      ],
    }
    return post(sending, url.reveal(), JSON.stringify(body), signal)
  },
})
