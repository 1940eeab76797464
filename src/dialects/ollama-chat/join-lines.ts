/** The lines of a stream as the whole answer that they make: the last one, with all that was said before it. */
import type { Json } from '../canonical.ts'
import type { Joiner } from '../dialect.ts'
import { isObject, isString } from '../wire.ts'

export function joinLines(): Joiner {
  const top: Json = {}
  const message: Json = { role: 'assistant', content: '' }
  const logprobs: unknown[] = []
  return {
    push(line) {
      const { message: said, logprobs: more, ...rest } = line
      Object.assign(top, rest)
      if (Array.isArray(more)) logprobs.push(...more)
      if (!isObject(said)) return
      for (const [key, value] of Object.entries(said)) {
        const before = message[key]
        if (key === 'content' || key === 'thinking') {
          if (isString(value)) message[key] = isString(before) ? before + value : value
        } else if (Array.isArray(value) && Array.isArray(before)) before.push(...value)
        else message[key] = Array.isArray(value) ? [...value] : value
      }
    },
    whole: () => ({ ...top, message, ...(logprobs.length > 0 ? { logprobs } : {}) }),
  }
}
