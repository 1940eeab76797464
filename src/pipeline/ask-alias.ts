/** A guard that asks a model of this gateway: on the gateway's own account, with the tag `guardrail`. */
import { EVERYTHING } from '../core/access.ts'
import { plan as decide } from '../core/plan.ts'
import { Refusal } from '../core/refusal.ts'
import { dialects } from '../dialects/index.ts'
import { GuardError } from '../guardrails/guard.ts'
import type { Io } from './io.ts'
import { responseTo } from './own.ts'
import { readWhole } from './read-whole.ts'

/** Bytes of a verdict: a guard model says a few words. */
const LONGEST = 256 * 1024

/** @returns the answer's text @throws GuardError */
export async function askAlias(
  io: Io,
  alias: string,
  messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[],
  signal: AbortSignal,
  schema?: Readonly<Record<string, unknown>>,
): Promise<string> {
  const snapshot = io.snapshot()
  const form = schema && {
    response_format: { type: 'json_schema', json_schema: { name: 'verdict', strict: true, schema } },
  }
  const response = await responseTo(io, {
    name: 'guardrail',
    dialect: dialects['openai-chat'],
    bytes: new TextEncoder().encode(JSON.stringify({ model: alias, messages, temperature: 0, stream: false, ...form })),
    stages: stagesOf(io, alias),
    wishes: {},
    snapshot,
    signal,
  })
  const text = new TextDecoder().decode(await readWhole(response, LONGEST))
  if (response.status !== 200)
    throw new GuardError(
      'refused',
      `The model '${alias}' answered ${response.status}: ${text.slice(0, 300)}`,
      response.status >= 500 || response.status === 429,
    )
  const said = (JSON.parse(text) as { choices?: { message?: { content?: unknown } }[] }).choices?.[0]?.message?.content
  if (typeof said !== 'string') throw new GuardError('bad_reply', `The model '${alias}' said no text.`, true)
  return said
}

function stagesOf(io: Io, alias: string) {
  try {
    return decide(io.snapshot(), alias, EVERYTHING)
  } catch (cause) {
    throw new GuardError('refused', Refusal.from(cause).message, false)
  }
}
