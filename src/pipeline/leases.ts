/** The slot that an attempt has, for as long as its hold is open: what ends the one ends the other. */
import type { Lease } from '../core/backend.ts'
import type { OpenHold } from '../store/ledger.ts'

const leases = new WeakMap<OpenHold, Lease>()

export const attachLease = (hold: OpenHold, lease: Lease): void => {
  leases.set(hold, lease)
}

/** Its answer has begun. @param workMs of the machine, where the answer is whole and says it */
export function leaseAnswers(hold: OpenHold, now: number, whole: boolean, workMs?: number): void {
  if (!hold.attempt.target.local) return
  const lease = leases.get(hold)
  lease?.place.backend.answered(lease, now, whole, workMs)
}

/** It is over: the slot is somebody else's. */
export function endLease(hold: OpenHold, now: number): void {
  if (!hold.attempt.target.local) return
  const lease = leases.get(hold)
  lease?.place.backend.end(lease, now)
}
