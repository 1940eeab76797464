/** Names of the facts that the ledger keeps of itself. */

/** The time zone whose days the rollups are of. */
export const ZONE = 'zone'
/** The first day (core/zone.ts) of which all charges are still there; without it, of all days. */
export const CHARGES_FROM = 'charges_from'
