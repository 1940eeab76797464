/** Guards as tests make them: of a kind's name and settings, with tools that reach the loopback only. */
import type { Finding, Guard, GuardTools, Look, Piece, Subject } from '../../src/guardrails/guard.ts'
import { kindNamed } from '../../src/guardrails/kinds/index.ts'

export const tools = (more: Partial<GuardTools> = {}): GuardTools => ({
  fetch: (url, init) => fetch(url, { ...init, redirect: 'manual' }),
  ask: () => Promise.reject(new Error('nobody is asked')),
  now: () => 1_700_000_000_000,
  env: {},
  ...more,
})

export function guard(kind: string, settings: unknown = {}, given: GuardTools = tools()): Guard {
  const found = kindNamed(kind)
  if (!found) throw new Error(`no kind ${kind}`)
  return found.make(found.settings.parse(settings), given)
}

export const piece = (text: string, more: Partial<Piece> = {}): Piece => ({
  kind: 'text',
  role: 'user',
  text,
  choice: 0,
  ...more,
})

export const subject = (pieces: readonly (string | Piece)[], more: Partial<Subject> = {}): Subject => ({
  direction: 'input',
  pieces: pieces.map((one) => (typeof one === 'string' ? piece(one) : one)),
  model: 'm',
  whole: true,
  ...more,
})

const NEVER = new AbortController().signal

/** @throws where a guard of the process gives a promise */
export function look(one: Guard, text: string, more: Partial<Subject> = {}): Look {
  const said = one.look(subject([text], more), NEVER)
  if (said instanceof Promise) throw new Error(`${one.kind} gives a promise`)
  return said
}

export const lookLater = async (
  one: Guard,
  pieces: readonly (string | Piece)[],
  more: Partial<Subject> = {},
  signal = NEVER,
): Promise<Look> => one.look(subject(pieces, more), signal)

/** What was found, with its text. */
export const found = ({ findings }: Look, text: string): [string, string][] =>
  findings.map((one: Finding) => [one.what, text.slice(one.start, one.end)])
