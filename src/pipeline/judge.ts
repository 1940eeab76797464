/** Guardrails behind a whole answer: it waits for those that look beside its request, and is looked at itself. */
import type { Json, Reply } from '../dialects/canonical.ts'
import type { Piece } from '../guardrails/guard.ts'
import { oddsTell } from '../guardrails/odds.ts'
import { findingsIn, type Looked } from '../guardrails/rail.ts'
import { bare, merged, without } from '../guardrails/redact.ts'
import { type View, viewOfReply } from '../guardrails/view.ts'
import type { Call } from './call.ts'
import { cutBy } from './conclude.ts'
import { blocked, type Screening } from './screening.ts'

/** @throws Refusal where it does not go out: what it cost is charged */
export async function judge(call: Call): Promise<void> {
  const { answer, screening } = call
  if (!screening) return
  const { revoked } = call.leaving
  // One that looked beside it was quicker than the answer.
  if (revoked && cutBy(revoked) === 'content_policy_violation') throw revoked
  if (answer?.kind !== 'whole') return
  if (screening.beside) await screening.beside
  if (call.leaving.revoked) throw call.leaving.revoked
  const { told, texts } = answer
  if (texts) {
    await lookThrough(call, texts.view(), screening)
    if (!screening.vault.isEmpty) texts.change((text) => screening.vault.show(text))
    answer.body = texts.write()
  }
  if (!told) return
  await lookAt(call, told.reply, screening)
  restore(told.reply, screening)
  answer.body = JSON.stringify(told.write(told.reply) satisfies Json)
}

async function lookAt(call: Call, reply: Reply, screening: Screening): Promise<void> {
  const rails = screening.in('post_call')
  if (rails.length === 0) return
  const isRedacted = await lookThrough(call, viewOfReply(reply, screening.declared), screening)
  for (const choice of reply.choices) {
    if (!choice.logprobs) continue
    // Odds tell the tokens of what was taken out, and what else might have been said.
    const isTold = !isRedacted && oddsTell(rails, choice.logprobs, call.peek.model)
    if (isTold) drop(call, 'logprobs')
    if (isRedacted || isTold) delete choice.logprobs
  }
}

/** @returns whether something was taken out */
async function lookThrough(call: Call, view: View, screening: Screening): Promise<boolean> {
  const rails = screening.in('post_call')
  if (rails.length === 0) return false
  const subject = { direction: 'output' as const, pieces: view.pieces, model: call.peek.model, whole: true }
  const { redact } = screening.decide(await screening.look(rails, subject), 'post_call')
  if (redact.length === 0) return false
  for (let i = view.pieces.length - 1; i >= 0; i--) {
    const { text } = view.pieces[i] as Piece
    const found = redact.flatMap(({ look }) => (look ? findingsIn(look, i) : []))
    if (found.length === 0) continue
    const dropped = put(view, i, without(text, merged(found, text.length), bare), redact)
    if (dropped !== undefined) drop(call, dropped)
  }
  return true
}

/** What can't be changed without breaking it does not go out. */
function put(view: View, i: number, text: string, looked: readonly Looked[]): string | undefined {
  try {
    return view.put(i, text)
  } catch {
    throw blocked(looked[0]?.rail.terms.name ?? '', 'post_call')
  }
}

function drop({ dropped }: Call, what: string): void {
  if (!dropped.includes(what)) dropped.push(what)
}

/** Puts back what was taken out of the request. What was thought goes back to its model as it was signed. */
function restore({ choices }: Reply, { vault }: Screening): void {
  if (vault.isEmpty) return
  for (const { parts } of choices)
    for (const part of parts) {
      if (part.type === 'text' || part.type === 'refusal') part.text = vault.show(part.text)
      else if (part.type === 'call') part.args = vault.showInJson(part.args)
    }
}
