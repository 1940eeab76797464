/** Errors as Ollama's clients know them: `{error: '…'}`; an unknown model must say `not found`. */
import { Refusal } from '../../core/refusal.ts'
import type { Written } from '../dialect.ts'
import { INTERRUPTED } from '../openai/interrupted.ts'

function sentence(refusal: Refusal): string {
  const isUnknown = refusal.code === 'model_not_found'
  return isUnknown && !refusal.message.includes('not found') ? `model not found: ${refusal.message}` : refusal.message
}

export function writeError(refusal: Refusal): Written {
  return { status: refusal.status, body: { error: sentence(refusal) } }
}

/** Inside a stream Ollama's last line is its error, and its clients raise it. */
export function writeStreamError(refusal: Refusal): string {
  return `${JSON.stringify({ error: sentence(refusal) })}\n`
}

/** @param told a refusal of ours that ends the stream; without one it is the upstream that failed, whose words nobody is told */
export const interrupted = (told = new Refusal('stream_interrupted', INTERRUPTED)): string => writeStreamError(told)
