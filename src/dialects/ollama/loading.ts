/**
 * `ollama run` loads a model by asking it nothing, and `ollama stop` unloads it so with `keep_alive: 0` (Ollama's API
 * reference, "Load a model" and "Unload a model").
 */

import type { Chat } from '../canonical.ts'
import { wordOf } from '../wire.ts'

/** `0`, `"0"`, `"0s"`: gone at once. */
const AT_ONCE = /^0+(?:\.0+)?(?:ns|us|µs|ms|s|m|h)?$/

/** What a request wants that asks for no answer; undefined for one that does. */
export function loading({ messages, extras, suffix }: Chat): 'load' | 'unload' | undefined {
  const isSaid = messages.some(({ parts }) => parts.some((part) => part.type !== 'text' || part.text !== ''))
  if (isSaid || suffix) return undefined
  return AT_ONCE.test(wordOf(extras.fields.keep_alive)) ? 'unload' : 'load'
}
