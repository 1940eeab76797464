/** Which guardrails look at a call: what its key, its team, its project, its model, its tags and itself say. */
import { Refusal } from '../core/refusal.ts'
import { type Asking, mustSee } from '../guardrails/policy.ts'
import type { Rail } from '../guardrails/rail.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'

const NONE: readonly Rail[] = []

/** @throws Refusal where one is named that is not there */
export function lookingAt(call: Call, io: Io): readonly Rail[] {
  const { guards } = io
  const asked = call.wishes.guardrails
  const said = io.payers.guardrails(call.who?.key)
  if (guards.isEmpty && !asked && said.names.length === 0) return NONE
  for (const name of asked ?? [])
    if (!guards.has(name))
      throw new Refusal('invalid_request', `There is no guardrail '${name.slice(0, 100)}'. ${list(guards.names)}`, {
        param: 'guardrails',
      })
  const missing = said.names.find((name) => !guards.has(name))
  if (missing !== undefined)
    throw new Refusal(
      'guardrail_unavailable',
      `The guardrail '${missing.slice(0, 100)}' that this key, its team or its project names does not exist here, and nothing goes through unseen. The operator can add it to the configuration.`,
    )
  return guards.for(askingOf(call, asked, said))
}

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'There are none here.' : `There are: ${names.slice(0, 100).join(', ')}.`

function askingOf(
  { who, payer, peek, stages, snapshot }: Call,
  asked: readonly string[] | undefined,
  said: { names: readonly string[]; isExempt: boolean },
): Asking {
  const key = who?.key
  const aliases = new Set([peek.model, ...stages.map(({ alias }) => alias)])
  // They may come to answer, too.
  for (const others of [snapshot.contextFallbacks, snapshot.contentFallbacks])
    for (const alias of [...aliases]) for (const name of others.get(alias) ?? others.get('*') ?? []) aliases.add(name)
  return {
    key: key ? [key.id, ...(key.name === undefined ? [] : [key.name])] : [],
    team: payer.team,
    project: payer.project,
    models: [...aliases],
    tags: payer.tags,
    named: new Set([...said.names, ...(asked ?? [])]),
    isExempt: said.isExempt,
  }
}

/**
 * A route whose content nobody here can see: whoever has to be looked at may not use it.
 * @param route in words, such as "pass-through requests"
 * @param reads it sends nothing: only those who look at answers have to see it
 * @throws Refusal content_policy_violation
 */
export function mayGoUnseen(call: Call, io: Io, route: string, instead: string, reads = false): void {
  if (io.guards.isEmpty) return
  const rail = lookingAt(call, io).find(({ terms }) => mustSee(terms) && (!reads || terms.modes.includes('post_call')))
  if (!rail) return
  const { name, modes } = rail.terms
  throw new Refusal(
    'content_policy_violation',
    `The guardrail '${name}' looks at your requests and can't see ${route}, which are not let through unseen. ${instead}`,
    { facts: { guardrail_name: name, guardrail_mode: modes[0] ?? 'pre_call' } },
  )
}
