/** What the simulation holds the ledger to. Each of them has a mutation that breaks it (mutations.ts). */
export const INVARIANTS = [
  'no overspend',
  'what is covered is paid for',
  'no false refusal',
  'cut only by a cap that is short',
  'nobody waits for money that is there',
  'first come, first served',
  'waiting has an end',
  'bounded',
  'all or none',
  'memory is the books',
  'held at rest is nothing',
  'the database is the books',
  'the books add up',
  'settled once',
  'nothing lost, nothing twice',
  'warned at each mark',
  'numbers rise',
] as const

export type Invariant = (typeof INVARIANTS)[number]

export class Violation extends Error {
  constructor(
    readonly invariant: Invariant,
    told: string,
  ) {
    super(`${invariant}: ${told}`)
    this.name = 'Violation'
  }
}

/** @param told only asked for where it does not hold */
export function hold(invariant: Invariant, holds: boolean, told: () => string): void {
  if (!holds) throw new Violation(invariant, told())
}
