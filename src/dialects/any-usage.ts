/** Usage in an answer of any provider, for what is passed through without being understood. */
import { type Usage, usage } from '../core/usage.ts'
import { readUsage as readAnthropic } from './anthropic/usage.ts'
import type { Json } from './canonical.ts'
import { readDuration } from './forward.ts'
import { readAnswerUsage as readGemini } from './gemini/usage.ts'
import { readUsage as readOpenAi } from './openai/usage.ts'
import { readResponseUsage as readResponses } from './openai-responses/usage.ts'
import { isObject, wordOf } from './wire.ts'

/** Reads the objects of one answer in their order. Cumulative: the last one that is not undefined counts. */
export function usageReader(): (json: Json) => Usage | undefined {
  /** What Anthropic's `message_start` said: its later reports name only what has changed. */
  let started: Json = {}
  return (json) => {
    if (isObject(json.usageMetadata)) return readGemini(json)
    const holder = [json.response, json.message, json.delta, json].find(
      (o): o is Json => isObject(o) && isObject(o.usage),
    )
    if (!holder) return readCohere(isObject(json.meta) ? json.meta : undefined)
    const said = holder.usage as Json
    if ('prompt_tokens' in said || 'completion_tokens' in said) return readOpenAi(said, holder.service_tier)
    if ('tokens' in said || 'billed_units' in said) return readCohere(said)
    if (said.type === 'duration') return readDuration(said)
    // Anthropic's input is without what the cache had, OpenAI's is with it: whose it is shows in the rest.
    const isAnthropic = 'cache_read_input_tokens' in said || /^message/.test(wordOf(holder.type ?? json.type))
    if (!isAnthropic && !('server_tool_use' in said)) return readResponses({ ...holder, usage: said })
    const found = readAnthropic(said, started)
    if (json.type === 'message_start') started = said
    return found
  }
}

/** Cohere tells what it read and what it bills: the latter counts, in tokens or in search units. */
function readCohere(meta: Json | undefined): Usage | undefined {
  const billed = isObject(meta?.billed_units) ? meta.billed_units : {}
  const read = isObject(meta?.tokens) ? meta.tokens : {}
  const counted = billed.input_tokens || billed.output_tokens ? billed : read
  if (!counted.input_tokens && !counted.output_tokens && !billed.search_units) return undefined
  return usage({ input: counted.input_tokens, output: counted.output_tokens, searches: billed.search_units })
}
