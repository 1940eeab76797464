/** Why an answer ended, in Converse's words (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
import type { Finish } from '../canonical.ts'
import { isString } from '../wire.ts'

const READ: Readonly<Record<string, Finish['unified']>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  guardrail_intervened: 'content-filter',
  content_filtered: 'content-filter',
}

export function readFinish(said: unknown): Finish | undefined {
  return isString(said) && said !== '' ? { unified: READ[said] ?? 'other', raw: said } : undefined
}
