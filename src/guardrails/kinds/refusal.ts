/** A model that says no: as its API marks it, or in the words in which models do, at the beginning of an answer. */
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { PASSED } from '../look.ts'
import { Automaton } from '../text/aho.ts'
import { fold } from '../text/fold.ts'

/** Characters at the beginning of an answer in which it says so. */
const BEGINNING = 240

const PHRASES = `i can't help with|i cannot help with|i can't assist|i cannot assist|i'm unable to|i am unable to|i'm not able to|i am not able to|i can't provide|i cannot provide|i can't do that|i cannot do that|i can't comply|i cannot comply|i can't fulfill|i cannot fulfill|i must decline|i have to decline|i won't be able to|i will not provide|i won't provide|i can't create|i cannot create|i can't generate|i cannot generate|i can't share|i cannot share|i'm sorry, but i can|i am sorry, but i can|sorry, but i can't|sorry, i can't|against my guidelines|not comfortable|i can't engage|i cannot engage|i can't discuss|i cannot discuss|i can't support|i cannot support
ich kann dabei nicht helfen|ich kann ihnen dabei nicht|ich kann dir dabei nicht|da kann ich nicht helfen|das kann ich leider nicht|ich darf nicht|es tut mir leid, aber ich kann|dabei kann ich nicht|ich kann diese anfrage nicht
je ne peux pas vous aider|je ne peux pas t'aider|je ne suis pas en mesure|désolé, mais je ne peux|je suis désolé, mais je ne|je ne peux pas répondre|je ne peux pas fournir
no puedo ayudarte|no puedo ayudar|lo siento, pero no puedo|no me es posible|no puedo proporcionar
mi dispiace, ma non posso|non posso aiutarti|non sono in grado|non posso fornire
desculpe, mas não posso|não posso ajudar|não consigo ajudar|não posso fornecer
het spijt me, maar ik kan|ik kan daar niet bij helpen|przykro mi, ale nie mogę|nie mogę pomóc
извините, но я не могу|я не могу помочь|к сожалению, я не могу|我无法|我不能提供|抱歉，我不能|很抱歉，但|申し訳ありませんが|お手伝いできません|죄송하지만|도와드릴 수 없`

let automaton: Automaton | undefined
function phrases(): Automaton {
  automaton ??= new Automaton(PHRASES.split(/[|\n]/).map((one) => fold(one.replaceAll("'", '’')).text))
  return automaton
}

export const refusal = defineKind({
  kind: 'refusal',
  settings: z.strictObject({
    phrases: z
      .boolean()
      .default(true)
      .describe('Whether words count, beside what an API marks as a refusal. Default: true.'),
  }),
  make: (said) => ({
    kind: 'refusal',
    local: true,
    needsWhole: true,
    window: BEGINNING,
    kinds: new Set(['text', 'refusal']),
    version: versionOf('refusal', 1, said),
    look({ pieces, direction }) {
      if (direction === 'input') return PASSED
      const marked = pieces.some(({ kind, text }) => kind === 'refusal' && text !== '')
      const isSaid = said.phrases && pieces.some(({ kind, text }) => kind === 'text' && isRefusal(text))
      if (!marked && !isSaid) return PASSED
      return { flagged: true, categories: ['refusal'], confidence: marked ? 1 : 0.8, findings: [] }
    },
  }),
})

/** Whether an answer begins as refusals do. */
export function isRefusal(text: string): boolean {
  let found = false
  phrases().scan(fold(text.slice(0, BEGINNING).replaceAll("'", '’')).text, () => {
    found = true
  })
  return found
}
