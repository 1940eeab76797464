import type { Event, Json } from '../canonical.ts'
import { isString } from '../wire.ts'

/** What the first chunk of a stream says of the answer as a whole; some servers leave it empty. */
export function startEvent({ id, model, created }: Json): Event {
  return {
    type: 'start',
    ...(isString(id) && id !== '' ? { id } : {}),
    ...(isString(model) && model !== '' ? { model } : {}),
    ...(typeof created === 'number' ? { created } : {}),
  }
}
