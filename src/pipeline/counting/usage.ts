/** Usage of an attempt that nobody reported: counted where that is possible, else as it was estimated. */
import { NO_USAGE, type Usage, type UsageSource } from '../../core/usage.ts'
import type { OpenHold } from '../../store/ledger.ts'
import type { Call } from '../call.ts'
import type { Io } from '../io.ts'
import type { Counted } from './job.ts'
import type { Heard } from './kept.ts'

/** A longer prompt is estimated: its copy alone would cost more than its count is worth. */
const LONGEST_PROMPT = 1024 * 1024

/** What costs nothing need not be counted, and what is passed on without being understood can't be. */
export const isCountable = ({ door }: Call, { price }: OpenHold): boolean =>
  price.kind === 'priced' && (door.dialect.op === 'chat' || door.dialect.op === 'embed')

/**
 * Counts in the worker. Never rejects, and takes two seconds at most.
 * @param estimate what it is charged otherwise
 * @param heard of the answer, as far as it came
 */
export async function countUsage(
  call: Call,
  io: Io,
  hold: OpenHold,
  estimate: Usage,
  heard: Heard | undefined,
): Promise<{ usage: Usage; source: UsageSource }> {
  const { bytes, door, peek } = call
  const request =
    bytes.byteLength > LONGEST_PROMPT
      ? undefined
      : { dialect: door.dialect.id, body: bytes, model: peek.model, stream: peek.stream }
  const { model } = hold.attempt.target
  const counted = await io.count({ model, request, answer: heard })
  return counted ? usageOf(counted, estimate, heard) : { usage: estimate, source: 'estimated' }
}

function usageOf(counted: Counted, estimate: Usage, heard: Heard | undefined): { usage: Usage; source: UsageSource } {
  const { told, reasoning } = counted
  // What was not kept is as what was.
  const share = heard && heard.length > heard.body.byteLength ? heard.length / heard.body.byteLength : 1
  const input = told?.input ?? counted.input
  const usage: Usage = {
    ...NO_USAGE,
    ...told,
    input: input ?? estimate.input,
    output: Math.round(counted.output * share),
    reasoning: Math.round(reasoning * share),
  }
  return { usage, source: input === undefined ? 'estimated' : 'counted' }
}
