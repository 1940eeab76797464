/** Leave to use a model that asks for it: a key asks, the operator gives it for a time or refuses. Time is an argument. */

/** `ended` is what was given and taken back, or whose key is gone. What is over by its time stays `given`. */
export type GrantState = 'asked' | 'given' | 'refused' | 'ended'

export interface Grant {
  id: string
  keyId: string
  /** The alias that is meant, or the pattern that it was found by. */
  alias: string
  state: GrantState
  /** Why the key asks. */
  reason: string | undefined
  /** For how long it asks, as it was written (`7d`). */
  duration: string | undefined
  /** ms since the epoch. */
  askedAt: number
  decidedAt: number | undefined
  /** `master`. */
  decidedBy: string | undefined
  /** ms since the epoch; of what is given. */
  expiresAt: number | undefined
}

/** Whether it opens the model at `now`. */
export const isOpen = (grant: Grant | undefined, now: number): boolean =>
  grant?.state === 'given' && grant.expiresAt !== undefined && now < grant.expiresAt

/** A grant's state in one word, with `expired` for what was given and is over. */
export const stateAt = (grant: Grant, now: number): GrantState | 'expired' =>
  grant.state === 'given' && !isOpen(grant, now) ? 'expired' : grant.state
