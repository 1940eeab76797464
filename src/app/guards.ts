/** The guardrails of a configuration, with what they need of the house. */
import { MemoryShelf } from '../cache/memory.ts'
import { GuardError, type GuardTools } from '../guardrails/guard.ts'
import { type Guards, guardsOf } from '../guardrails/guards.ts'
import { kinds } from '../guardrails/kinds/index.ts'
import type { GuardTerms } from '../guardrails/terms.ts'
import { askAlias } from '../pipeline/ask-alias.ts'
import type { Io } from '../pipeline/io.ts'

/** Verdicts that are kept in memory: 64 MB, of which most are one byte and a key. */
const BOUNDS = { bytes: 64 * 1024 * 1024, entries: 200_000, largest: 256 * 1024 }

interface House {
  now(): number
  random(): number
  fetch: GuardTools['fetch']
  /** Made later than the guards; undefined: there is no gateway, and none of its models can be asked. */
  io: (() => Io) | undefined
}

/** @throws Error naming a guardrail that can't be made */
export function openGuards(terms: readonly GuardTerms[], { now, random, fetch, io }: House): Guards {
  const shelf = new MemoryShelf(now, BOUNDS)
  const tools: GuardTools = {
    fetch,
    ask: (alias, messages, signal) => {
      if (io) return askAlias(io(), alias, messages, signal)
      throw new GuardError('refused', 'It asks a model of the gateway: try it with POST /guardrails/test.', false)
    },
    now,
    env: process.env,
  }
  return guardsOf(terms, kinds, tools, { shelf: () => shelf, random })
}
