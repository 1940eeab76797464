/** Which keys seal what is kept: the operator's, those before it, and always the one in the data folder. */
import { rootOf, SealKeys } from './seal.ts'
import type { Secret } from './secret.ts'

/** What was sealed under an older key, sealed anew. @returns how many; called until it is none */
export type Reseal = () => number

/** @param pepper the data folder's own, which seals where the operator names none */
export const sealKeys = (own: Secret | undefined, before: readonly Secret[], pepper: Buffer): SealKeys =>
  new SealKeys([...(own ? [rootOf(own.reveal())] : []), ...before.map((one) => rootOf(one.reveal())), pepper])

const PAUSE_MS = 20

export interface ResealHooks {
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  error(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** Seals everything anew that is under an older key, in portions, so that nobody waits for it. */
export function startResealing(all: readonly Reseal[], hooks: ResealHooks): { again(): void; stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let total = 0
  const step = () => {
    timer = undefined
    let done = 0
    try {
      for (const reseal of all) done += reseal()
    } catch (cause) {
      hooks.error('What is sealed could not be sealed anew: the keys before must stay in tollgate.seal_keys_before.', {
        told: (cause as Error).message,
      })
      return
    }
    total += done
    if (done > 0) return wait()
    if (total > 0)
      hooks.info('Everything that is kept is sealed under the newest key: those before are needed no more.', {
        sealed: total,
      })
    total = 0
  }
  const wait = () => {
    timer ??= setTimeout(step, PAUSE_MS)
    timer.unref()
  }
  wait()
  return { again: wait, stop: () => clearTimeout(timer) }
}
