/** Guardrails behind a whole answer: it waits for those that look beside its request, and is looked at itself. */
import type { Json, Reply } from '../dialects/canonical.ts'
import type { Piece } from '../guardrails/guard.ts'
import { findingsIn } from '../guardrails/rail.ts'
import { bare, merged, without } from '../guardrails/redact.ts'
import { viewOfReply } from '../guardrails/view.ts'
import type { Call } from './call.ts'
import { cutBy } from './conclude.ts'
import type { Screening } from './screening.ts'

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
  const { told } = answer
  if (!told) return
  await lookAt(call, told.reply, screening)
  restore(told.reply, screening)
  answer.body = JSON.stringify(told.write(told.reply) satisfies Json)
}

async function lookAt(call: Call, reply: Reply, screening: Screening): Promise<void> {
  const rails = screening.in('post_call')
  if (rails.length === 0) return
  const view = viewOfReply(reply)
  const subject = { direction: 'output' as const, pieces: view.pieces, model: call.peek.model, whole: true }
  const { redact } = screening.decide(await screening.look(rails, subject), 'post_call')
  if (redact.length === 0) return
  for (let i = view.pieces.length - 1; i >= 0; i--) {
    const { text } = view.pieces[i] as Piece
    const found = redact.flatMap(({ look }) => (look ? findingsIn(look, i) : []))
    if (found.length === 0) continue
    const dropped = view.put(i, without(text, merged(found, text.length), bare))
    if (dropped !== undefined && !call.dropped.includes(dropped)) call.dropped.push(dropped)
  }
  // Odds tell the tokens of what was taken out.
  for (const choice of reply.choices) delete choice.logprobs
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
