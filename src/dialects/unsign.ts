/**
 * Signed thinking belongs to the model that signed it: replayed on another one the request is refused
 * (anthropics/anthropic-sdk-python#1598), so it is taken out where failing over changes the model.
 */
import type { Json } from './canonical.ts'
import { isObject } from './wire.ts'

const list = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Takes `thinking` and `redacted_thinking` blocks out of a messages request, in place. Whether there were any. */
export function unsignAnthropic(body: Json): boolean {
  let found = false
  for (const message of list(body.messages)) {
    if (!Array.isArray(message.content)) continue
    const kept = message.content.filter(
      (block) => !isObject(block) || (block.type !== 'thinking' && block.type !== 'redacted_thinking'),
    )
    if (kept.length === message.content.length) continue
    found = true
    // A message of nothing but thinking stays a message: an empty one is refused.
    message.content = kept.length > 0 ? kept : [{ type: 'text', text: '…' }]
  }
  return found
}

/** Takes reasoning items out of a Responses request, in place. */
export function unsignResponses(body: Json): boolean {
  if (!Array.isArray(body.input)) return false
  const kept = body.input.filter((item) => !isObject(item) || item.type !== 'reasoning')
  const found = kept.length < body.input.length
  body.input = kept
  return found
}

/** Takes thought signatures, and parts that are nothing but thought, out of a Gemini request, in place. */
export function unsignGemini(body: Json): boolean {
  let found = false
  for (const content of list(body.contents)) {
    if (!Array.isArray(content.parts)) continue
    const kept = content.parts.filter((part) => !isObject(part) || part.thought !== true)
    found ||= kept.length < content.parts.length
    for (const part of kept)
      for (const name of ['thoughtSignature', 'thought_signature'])
        if (isObject(part) && name in part) {
          delete part[name]
          found = true
        }
    content.parts = kept.length > 0 ? kept : [{ text: '…' }]
  }
  return found
}
