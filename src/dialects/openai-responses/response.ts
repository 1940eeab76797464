/** The response object itself: what was asked is told again, since clients read it there. */
import type { Chat, Json } from '../canonical.ts'
import type { Answering, Warn } from '../dialect.ts'
import { ID } from './content.ts'
import { writeRequest } from './request.ts'

const silent: Warn = () => {}

/** What is told again, and what stands there where nothing was asked (platform.openai.com, the response object). */
const DEFAULTS: Json = {
  background: false,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'default',
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  user: null,
}

/** Everything of a response but its status, output and usage; `id`, `created_at` and `model` may be replaced. */
export function envelope(chat: Chat, answering: Answering): Json {
  const asked = chat.extras.dialect === ID ? writeRequest({ ...chat, messages: chat.messages.slice(0, 1) }, silent) : {}
  const told: Json = {}
  for (const [key, value] of Object.entries(DEFAULTS)) told[key] = asked[key] ?? value
  return {
    id: responseId(answering),
    object: 'response',
    created_at: answering.created,
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    model: chat.model,
    output: [],
    ...told,
    usage: null,
  }
}

export const responseId = (answering: Answering): string =>
  answering.id.startsWith('resp_') ? answering.id : `resp_${answering.id.replace(/[^a-zA-Z0-9]/g, '')}`

/**
 * The upstream's id where it is one of Responses: answers are kept and found by it, and some servers of other dialects
 * give every answer the same.
 */
export const ownId = (id: string | undefined): string | undefined => (id?.startsWith('resp') ? id : undefined)

/** Ids of items: the same for the same answer and place. */
export const itemId = (prefix: string, answering: Answering, index: number): string =>
  `${prefix}_${answering.id.replace(/[^a-zA-Z0-9]/g, '').slice(-32)}${index}`
