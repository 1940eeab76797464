/** Effort is OpenAI's only word for thinking; a budget is turned into the effort that comes nearest. */
import type { Chat, WireId } from '../canonical.ts'

/** @param id the dialect that is written: what was said in the same one goes on as it was */
export function writeEffort({ thinking, extras }: Chat, id: WireId): string | undefined {
  if (!thinking || (extras.dialect === id && extras.fields.thinking)) return undefined
  // "Off" is the default of Anthropic's models, and many of OpenAI's refuse to be told so.
  if (!thinking.enabled) return extras.dialect === 'anthropic' ? undefined : 'none'
  if (thinking.effort !== undefined)
    return thinking.effort === 'max' && !extras.dialect.startsWith('openai-') ? 'xhigh' : thinking.effort
  // "On" has to be said, since not all of OpenAI's models think by themselves; the others leave it to the model.
  if (thinking.budget === undefined) return extras.dialect.startsWith('ollama-') ? 'medium' : undefined
  return thinking.budget <= 2048 ? 'low' : thinking.budget <= 8192 ? 'medium' : 'high'
}
