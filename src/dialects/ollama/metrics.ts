/** What Ollama measures, both ways. Counts that are zero are left out by it, and all of them where it never counted. */
import { type Usage, usage } from '../../core/usage.ts'
import type { Finish, Json, Timings } from '../canonical.ts'
import { compact, defined } from '../wire.ts'

/** @returns undefined where nothing was counted (a load, an unload, an answer that just stopped) */
export function readUsage(json: Json): Usage | undefined {
  if (json.prompt_eval_count === undefined && json.eval_count === undefined) return undefined
  return usage({ input: json.prompt_eval_count, output: json.eval_count, gpuMs: workOf(json) })
}

const duration = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

/**
 * What the machine worked, ms, of ns: reading and writing. Not the loading of a model, which the next caller profits of,
 * and not the waiting in Ollama's own queue, which are in its total.
 */
const workOf = (json: Json): number =>
  Math.round(((duration(json.prompt_eval_duration) ?? 0) + (duration(json.eval_duration) ?? 0)) / 1e6)

/** In ns. */
export function readTimings(json: Json): Timings | undefined {
  const timings = defined<Timings>({
    total: duration(json.total_duration),
    load: duration(json.load_duration),
    prompt: duration(json.prompt_eval_duration),
    eval: duration(json.eval_duration),
  })
  return Object.keys(timings).length > 0 ? timings : undefined
}

export function writeMetrics(counted: Usage | undefined, timings: Timings | undefined): Json {
  return compact({
    total_duration: timings?.total,
    load_duration: timings?.load,
    prompt_eval_count: counted?.input,
    prompt_eval_duration: timings?.prompt,
    eval_count: counted?.output,
    eval_duration: timings?.eval,
  })
}

/** @returns undefined unless `done`: an answer that ends without it is not whole */
export function readDone(json: Json, called: boolean): Finish | undefined {
  if (json.done !== true) return undefined
  const raw = typeof json.done_reason === 'string' ? json.done_reason : 'stop'
  if (raw === 'length') return { unified: 'length', raw }
  // Ollama says `stop` after tool calls too.
  return { unified: called ? 'tool-calls' : 'stop', raw }
}

export function writeDone({ unified, raw }: Finish): string {
  if (raw === 'load' || raw === 'unload') return raw
  return unified === 'length' ? 'length' : 'stop'
}

/** RFC 3339, as Ollama says its times. @param created seconds since the epoch */
export const timeOf = (created: number): string => new Date(created * 1000).toISOString()

/** Seconds since the epoch; 0 where the time cannot be read. */
export function readTime(value: unknown): number {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000)
}
