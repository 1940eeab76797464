/** Asks the Ollama next door what it has. */
import { type OllamaAnswer, readTags } from '../config/discover.ts'

/** ms. It is next door: what takes longer is not there. */
const PATIENCE = 1_000

/** GET {origin}/api/tags. Never throws. */
export async function probeOllama(origin: string): Promise<OllamaAnswer> {
  try {
    const response = await fetch(`${origin}/api/tags`, { signal: AbortSignal.timeout(PATIENCE) })
    if (!response.ok) return { ok: false, why: `it answered ${response.status}` }
    const models = readTags(await response.json())
    return models ? { ok: true, models } : { ok: false, why: 'what answers there is no Ollama' }
  } catch (cause) {
    return { ok: false, why: reason(cause) }
  }
}

function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  if (cause.name === 'TimeoutError') return 'no answer within a second'
  if (cause.name === 'SyntaxError') return 'what answers there is no Ollama'
  // Bun has had both names for it.
  const refused = ['ConnectionRefused', 'ECONNREFUSED'].includes((cause as { code?: string }).code ?? '')
  return refused ? 'nothing listens there' : cause.message
}
