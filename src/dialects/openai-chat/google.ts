/**
 * Gemini's signature of a tool call in OpenAI's words, as Google's own OpenAI-compatible endpoint spells it
 * (ai.google.dev/gemini-api/docs/thought-signatures): a Gemini 3 must be given it back with the call, byte for byte.
 */
import type { Extras, Json } from '../canonical.ts'
import { isObject, isString } from '../wire.ts'

/** The signature beside a call, `extra_content.google.thought_signature`. */
export function readGoogle(call: Json): Extras | undefined {
  const content = isObject(call.extra_content) ? call.extra_content : {}
  const google = isObject(content.google) ? content.google : {}
  return isString(google.thought_signature)
    ? { dialect: 'gemini', fields: { thoughtSignature: google.thought_signature } }
    : undefined
}

/** @returns nothing where the call was not signed by a Gemini */
export function writeGoogle(extras: Extras | undefined): Json {
  const signature = extras?.dialect === 'gemini' ? extras.fields.thoughtSignature : undefined
  return isString(signature) ? { extra_content: { google: { thought_signature: signature } } } : {}
}
