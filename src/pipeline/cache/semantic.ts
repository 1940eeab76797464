/**
 * Requests that say the same in other words. Only the last thing that the user says may differ: model, settings, tools,
 * system texts and everything said before have to be the same, and so have the numbers in it, which vectors hardly see.
 */

import { EVERYTHING } from '../../core/access.ts'
import type { CacheRules, SemanticRules } from '../../core/cache-rules.ts'
import { plan } from '../../core/plan.ts'
import type { Snapshot } from '../../core/snapshot.ts'
import type { Chat, Json, Part } from '../../dialects/canonical.ts'
import { dialects } from '../../dialects/index.ts'
import type { Call } from '../call.ts'
import type { Io } from '../io.ts'
import { responseTo } from '../own.ts'
import { textOf } from './key.ts'

export interface Meaning {
  /** All that has to be the same, the tenant first. */
  group: string
  text: string
  numbers: string
  snapshot: Snapshot
  rules: SemanticRules
  /** Of the text, of length 1; once it has been asked for. */
  vector: Float32Array | undefined
}

/** What a vector is of, and what it stands for. */
export interface Learnt {
  vector: Float32Array
  numbers: string
  /** Of the answer in the cache. */
  key: string
}

/** Vectors by group; bounded. */
export interface MeaningsDoor {
  /** The nearest that is at least as near as `threshold`. */
  nearest(
    group: string,
    vector: Float32Array,
    numbers: string,
    threshold: number,
  ): { key: string; similarity: number } | undefined
  learn(group: string, learnt: Learnt): void
}

/** Longer ones have too much in them for one vector. */
const LONGEST = 8_000

/** @returns undefined for what is no chat that ends with a text of its user */
export function meaningOf(
  call: Call,
  io: Io,
  asked: Chat | Json,
  rules: CacheRules,
  tenant: string,
  namespace: string | undefined,
): Meaning | undefined {
  if (call.door.dialect.op !== 'chat' || !rules.semantic) return undefined
  const { messages } = asked as Chat
  const last = messages.at(-1)
  if (last?.role !== 'user' || !last.parts.every(isText)) return undefined
  const text = last.parts.map((part) => part.text).join('\n')
  if (text.trim() === '' || text.length > LONGEST) return undefined
  const rest = { ...asked, messages: [...messages.slice(0, -1), { ...last, parts: [] }] }
  const group = `${tenant}:${io.cache.digest(textOf(call, rest as unknown as Json, rules, namespace))}`
  const numbers = (text.match(/\d+(?:[.,]\d+)*/g) ?? []).sort().join(' ')
  return { group, text, numbers, snapshot: call.snapshot, rules: rules.semantic, vector: undefined }
}

const isText = (part: Part): part is Part & { type: 'text' } => part.type === 'text'

/** The answer to a text that means the same. Never rejects: without a vector there is none. */
export async function look(io: Io, meaning: Meaning): Promise<{ key: string; similarity: number } | undefined> {
  meaning.vector = await vectorOf(io, meaning)
  const { vector, group, numbers, rules } = meaning
  return vector && io.cache.meanings.nearest(group, vector, numbers, rules.threshold)
}

export function learn(io: Io, { group, vector, numbers }: Meaning, key: string): void {
  if (vector) io.cache.meanings.learn(group, { vector, numbers, key })
}

/** Of length 1. The gateway asks for it itself, and the tag `semantic_cache` pays. */
async function vectorOf(io: Io, { text, snapshot, rules }: Meaning): Promise<Float32Array | undefined> {
  const signal = AbortSignal.timeout(rules.timeoutMs)
  try {
    const response = await responseTo(io, {
      name: 'semantic_cache',
      dialect: dialects['openai-embeddings'],
      bytes: new TextEncoder().encode(JSON.stringify({ model: rules.model, input: text, encoding_format: 'float' })),
      stages: plan(snapshot, rules.model, EVERYTHING),
      wishes: { totalMs: rules.timeoutMs },
      snapshot,
      signal,
    })
    if (response.status !== 200) throw new Error(`its request was answered with ${response.status}`)
    const { data } = (await response.json()) as { data?: { embedding?: unknown }[] }
    return unit(data?.[0]?.embedding)
  } catch (cause) {
    io.warn('A text could not be made a vector, so the semantic cache did not see it.', {
      model: rules.model,
      told: String(cause),
    })
    return undefined
  }
}

function unit(said: unknown): Float32Array {
  if (!Array.isArray(said) || said.length === 0 || !said.every(Number.isFinite))
    throw new Error('its answer is no vector')
  const vector = Float32Array.from(said as number[])
  let square = 0
  for (const x of vector) square += x * x
  if (square === 0) throw new Error('its vector is nothing')
  const length = Math.sqrt(square)
  return vector.map((x) => x / length)
}
