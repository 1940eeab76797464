/** What answers that are passed on as they are say: transcripts, prompts that were written anew, events of either. */
import type { Json } from '../dialects/canonical.ts'
import { type View, viewOfFields } from '../guardrails/view.ts'
import type { Texts } from './answer.ts'

export function textsOf(body: Uint8Array, kind: 'json' | 'text' | 'events'): Texts {
  const said = new TextDecoder().decode(body)
  if (kind === 'events') return ofEvents(said)
  const holder: { said: Json | string } = { said: kind === 'json' ? (JSON.parse(said) as Json) : said }
  return {
    view: () => viewOfFields(holder),
    change(show) {
      const { pieces, put } = viewOfFields(holder)
      for (const [i, { text }] of [...pieces.entries()].toReversed()) {
        const shown = show(text)
        if (shown !== text) put(i, shown)
      }
    },
    write: () => (typeof holder.said === 'string' ? holder.said : JSON.stringify(holder.said)),
  }
}

/** What of a stream of events is data. */
export const eventsIn = (body: string): string[] =>
  body.split(/\r?\n/).flatMap((line) => {
    const data = line.startsWith('data:') ? line.slice('data:'.length).trim() : ''
    return data.startsWith('{') ? [data] : []
  })

/**
 * Events as they came: a text may be cut anywhere between them, so it is looked at as a whole, and where something would
 * have to be taken out of it nothing goes out.
 */
function ofEvents(said: string): Texts {
  const events = eventsIn(said).map((data) => JSON.parse(data) as Json)
  const deltas = events.map(({ delta }) => (typeof delta === 'string' ? delta : '')).join('')
  const view = viewOfFields({ deltas, events })
  const put = (): never => {
    throw new SyntaxError('Events are not written anew.')
  }
  return { view: (): View => ({ ...view, put }), change: () => {}, write: () => said }
}
