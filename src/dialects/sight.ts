/** What taps and glances have in common. */
import type { Failure } from '../core/failure.ts'
import type { Usage } from '../core/usage.ts'
import type { Json } from './canonical.ts'
import type { Frame, Sight } from './dialect.ts'
import { Template } from './template.ts'
import { isObject } from './wire.ts'

export function sight(seen: Partial<Sight>): Sight {
  return { content: false, finished: false, end: false, usageOnly: false, garbage: false, ...seen }
}

const GARBAGE: Sight = Object.freeze(sight({ garbage: true }))

/** What one parsed frame shows, and where its text stands if it is nothing but text. */
export interface Look {
  content?: boolean
  finished?: boolean
  end?: boolean
  usageOnly?: boolean
  usage?: Usage | undefined
  failure?: Failure | undefined
  /** Keys of varying strings, the text's own last, where frames like this one need not be parsed again. */
  gaps?: readonly string[] | undefined
  /** Keys of counts that vary beside them. */
  numbers?: readonly string[] | undefined
  /** The usage that those counts tell, where each frame tells some. */
  counted?: ((numbers: Json) => Usage | undefined) | undefined
}

/**
 * A tap that parses only what is not like the frames before it.
 * @param look what a frame shows; undefined where the JSON is none of this dialect's
 */
export function tapWith(look: (json: Json, frame: Frame) => Look | undefined, done?: string): (frame: Frame) => Sight {
  const template = new Template()
  /** What was seen in the frame that the template was learned from, and so is in all that are like it. */
  let plain: Sight | undefined
  let counted: Look['counted']
  return (frame) => {
    const { data } = frame
    if (plain && template.matches(data)) return counted ? { ...plain, usage: counted(template.numbers()) } : plain
    if (data === done) return sight({ end: true })
    const json = parse(data)
    const seen = json && look(json, frame)
    if (!seen) return GARBAGE
    const { gaps, numbers, counted: tells, ...rest } = seen
    const made = sight(rest)
    if (gaps && template.learn(data, gaps, numbers)) {
      plain = made
      counted = tells
    }
    return made
  }
}

/** A whole answer, looked at. */
export function glanceWith(body: string, look: (json: Json) => Look | undefined): Sight {
  const json = parse(body)
  const seen = json && look(json)
  return seen ? sight(seen) : GARBAGE
}

function parse(data: string): Json | undefined {
  try {
    const json: unknown = JSON.parse(data)
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}
