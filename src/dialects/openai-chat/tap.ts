/** What passes by in a chat stream of OpenAI's, and what a whole answer shows. */
import type { Json } from '../canonical.ts'
import { failureIn } from '../failure-of.ts'
import { COUNTS, readCounts, readUsage } from '../openai/usage.ts'
import type { Look } from '../sight.ts'
import { isObject, isString } from '../wire.ts'

const TEXTS = ['content', 'reasoning_content', 'reasoning', 'refusal'] as const

const says = (value: unknown): boolean => isString(value) && value !== ''

export function lookAtChunk(chunk: Json): Look | undefined {
  const failure = failureIn(chunk)
  if (failure) return { failure }
  const { choices } = chunk
  if (!Array.isArray(choices)) return undefined
  const usage = readUsage(chunk.usage, chunk.service_tier)
  let finished = false
  let said: string[] = []
  let called = false
  for (const choice of choices) {
    if (!isObject(choice)) return undefined
    if (says(choice.finish_reason)) finished = true
    const delta = isObject(choice.delta) ? choice.delta : {}
    for (const key of TEXTS) if (says(delta[key])) said.push(key)
    if (Array.isArray(delta.tool_calls) && delta.tool_calls.length > 0) {
      called = true
      said = goesOn(delta.tool_calls) ? [...said, 'arguments'] : [...said, '', '']
    }
    if (isObject(delta.audio) || (Array.isArray(delta.images) && delta.images.length > 0)) said.push('', '')
  }
  const isPlain = said.length === 1 && !finished
  return {
    content: said.length > 0 || called,
    finished,
    // Azure also begins with a chunk without choices: clients that did not ask for usage trip over either.
    usageOnly: choices.length === 0,
    usage,
    gaps: isPlain ? (isString(chunk.obfuscation) ? ['obfuscation', ...said] : said) : undefined,
    numbers: isPlain ? COUNTS : undefined,
    counted: usage && readCounts,
  }
}

/** Nothing but a piece of one call's arguments. */
function goesOn(calls: unknown[]): boolean {
  const [call] = calls
  const named = isObject(call) && isObject(call.function) ? call.function : {}
  return calls.length === 1 && says(named.arguments)
}

export function lookAtReply(reply: Json): Look | undefined {
  const failure = failureIn(reply)
  if (failure) return { failure }
  const { choices } = reply
  if (!Array.isArray(choices) || choices.length === 0) return undefined
  let finished = true
  for (const choice of choices) {
    if (!isObject(choice) || !isObject(choice.message)) return undefined
    if (!says(choice.finish_reason)) finished = false
  }
  return { content: true, finished, end: true, usage: readUsage(reply.usage, reply.service_tier) }
}
