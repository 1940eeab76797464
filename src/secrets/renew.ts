/** New values into secrets that are in use: whoever holds one has the new text from the next time on. */
import { Secret } from './secret.ts'

export interface Renewed {
  /** Where secrets are other ones now. */
  secrets: string[]
  /** Where something else has changed that came from a secret's place: it takes a restart. */
  others: string[]
}

/**
 * Walks two configurations of the same file side by side.
 * @param used the one that is in use: its secrets get the new texts
 */
export function renew(used: unknown, read: unknown, at = ''): Renewed {
  if (used instanceof Secret && read instanceof Secret) return { secrets: used.replace(read) ? [at] : [], others: [] }
  if (isMap(used) && isMap(read)) {
    const all = Object.keys(used).map((key) => renew(used[key], read[key], at === '' ? key : `${at}.${key}`))
    return { secrets: all.flatMap((one) => one.secrets), others: all.flatMap((one) => one.others) }
  }
  return { secrets: [], others: typeof used === 'string' && typeof read === 'string' && used !== read ? [at] : [] }
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
