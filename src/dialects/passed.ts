/** What is passed through to a provider without being understood: only usage is read, and errors are told in words of ours. */
import type { Usage } from '../core/usage.ts'
import { usageReader } from './any-usage.ts'
import type { Json } from './canonical.ts'
import type { Dialect, ForwardDialect, Frame, Sight } from './dialect.ts'
import { readAnyError } from './failure-of.ts'
import { writeStreamError } from './openai/error.ts'
import { sight } from './sight.ts'
import { isObject } from './wire.ts'

/** Every shape of usage has one of these words in it, and an object behind it: `null` tells nothing. */
const USAGE = /"(usage|usageMetadata|meta)"\s*:\s*\{/

/** @param told in whose words refusals are told */
export function passed(told: Dialect): ForwardDialect {
  return {
    id: told.id,
    op: 'forward',
    isEstimated: true,
    fields: { maxTokens: [], required: {}, known: [] },
    writeError: told.writeError,
    writeStreamError: 'writeStreamError' in told ? told.writeStreamError : writeStreamError,
    readError: readAnyError,
    glance,
    tap,
  }
}

/** A whole answer: an object, or Gemini's array of them. Never an error here: its status has told that. */
function glance(body: string): Sight {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return sight({ garbage: true })
  }
  const read = usageReader()
  let found: Usage | undefined
  for (const one of Array.isArray(json) ? json : [json]) if (isObject(one)) found = read(one) ?? found
  return sight({ content: true, finished: true, usage: found })
}

function tap(): (frame: Frame) => Sight {
  const read = usageReader()
  return ({ data }) => {
    // `[DONE]` is not the end here: the body's is.
    if (!USAGE.test(data)) return sight({ content: true })
    try {
      const json: unknown = JSON.parse(data)
      return sight({ content: true, usage: isObject(json) ? read(json as Json) : undefined })
    } catch {
      return sight({ content: true })
    }
  }
}
