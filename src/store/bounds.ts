/** How much the ledger keeps before it says no or lets something go. A simulation puts small ones in their place. */
export interface Bounds {
  /** Scopes whose accounts are kept in memory though nobody asks for them. */
  scopes: number
  /** More waiting requests than this for one account are told to come back. */
  waiting: number
  /** More unwritten settlements than this, and the disk is gone: refuse new work rather than forget old. */
  unwritten: number
  /** So many holds that are over are swept away together. */
  sweep: number
}

export const BOUNDS: Bounds = { scopes: 50_000, waiting: 10_000, unwritten: 200_000, sweep: 16_384 }
