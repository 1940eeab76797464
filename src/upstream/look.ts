/** A look at a target's server: is it there, does it take our key, has it the model. It costs no tokens. */
import type { Target } from '../core/target.ts'
import { inquire } from './inquire.ts'
import type { Link } from './link.ts'

/** What a look found. */
export interface Sight {
  /** What is wrong, in words that hold no address and nothing the upstream said. */
  error?: string | undefined
  /** Nobody could be answered there now. */
  down: boolean
}

/** The names that a server has, or why it did not tell. */
export type Seen = string[] | Error

/** Targets of the same server and credentials are looked at together. */
export const serverKey = (link: Link): string => `${link.origin} ${JSON.stringify(link.headers)}`

/** Whether its provider can be asked what it has. */
export const canLook = ({ provider }: Link): boolean => provider.list !== undefined

/** Asks for what it has. Never rejects. */
export async function namesAt(link: Link, timeoutMs: number, signal?: AbortSignal): Promise<Seen> {
  const { list } = link.provider
  if (!list) return []
  try {
    return list.read(await inquire(link, { path: list.path, timeoutMs, signal }))
  } catch (cause) {
    return cause as Error
  }
}

export function sightOf(seen: Seen, target: Target): Sight {
  if (seen instanceof Error) {
    const { status } = seen as { status?: number }
    if (status === 401 || status === 403) return { error: 'its server refuses our credentials', down: true }
    // One that has no such list, or no time for it, may answer all the same.
    return status
      ? { error: `its server answers ${status}`, down: status >= 500 }
      : { error: 'its server cannot be reached', down: true }
  }
  // Only a local server's list is complete: clouds leave models out that they serve.
  if (!target.local || target.model.includes('*')) return { down: false }
  const has = seen.some((name) => name === target.model || name === `${target.model}:latest`)
  return has ? { down: false } : { error: `its server does not have the model '${target.model}'`, down: true }
}
