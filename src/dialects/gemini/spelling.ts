/**
 * Google reads JSON as protocol buffers do: every field by its name in camel case and in snake case
 * (protobuf.dev/programming-guides/json), and its own examples use both.
 */
import type { Json } from '../canonical.ts'
import { bad } from '../wire.ts'

export const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/**
 * The object with its own members in camel case; what lies deeper is left alone, since it may be a caller's own.
 * @throws Refusal invalid_request where one field stands in both spellings
 */
export function camelled(object: Json, path: string): Json {
  let out: Json | undefined
  for (const key of Object.keys(object)) {
    if (!key.includes('_')) continue
    const name = camel(key)
    if (name === key) continue
    if (name in object) throw bad(path === '' ? key : `${path}.${key}`, `sent once: it is the same field as '${name}'`)
    out ??= { ...object }
    out[name] = out[key]
    delete out[key]
  }
  return out ?? object
}
