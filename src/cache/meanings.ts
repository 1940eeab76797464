/**
 * What texts mean, as vectors, so that one that says the same is found: all of a group are compared, which takes 1 ms for
 * a thousand of 1,536 numbers. Bounded: the group that was not used for longest goes first, and of a full group the oldest.
 */
import type { Learnt, MeaningsDoor } from '../pipeline/cache/semantic.ts'

export interface MeaningBounds {
  /** Vectors of a group, and all numbers of all vectors. */
  ofGroup: number
  numbers: number
}

export class Meanings implements MeaningsDoor {
  readonly #bounds: MeaningBounds
  /** In the order of their last use. */
  readonly #groups = new Map<string, Learnt[]>()
  #numbers = 0

  constructor(bounds: MeaningBounds) {
    this.#bounds = bounds
  }

  nearest(
    group: string,
    vector: Float32Array,
    numbers: string,
    threshold: number,
  ): { key: string; similarity: number } | undefined {
    const known = this.#use(group)
    let best: { key: string; similarity: number } | undefined
    for (const learnt of known ?? []) {
      if (learnt.numbers !== numbers || learnt.vector.length !== vector.length) continue
      const similarity = dot(learnt.vector, vector)
      if (similarity >= threshold && similarity > (best?.similarity ?? -1)) best = { key: learnt.key, similarity }
    }
    return best
  }

  learn(group: string, learnt: Learnt): void {
    const known = this.#use(group) ?? []
    this.#groups.set(group, known)
    const at = known.findIndex(({ key }) => key === learnt.key)
    if (at >= 0) this.#drop(known, at)
    known.push(learnt)
    this.#numbers += learnt.vector.length
    if (known.length > this.#bounds.ofGroup) this.#drop(known, 0)
    for (const [name, oldest] of this.#groups) {
      if (this.#numbers <= this.#bounds.numbers) break
      while (oldest.length > 0) this.#drop(oldest, 0)
      this.#groups.delete(name)
    }
  }

  /** @param prefix '' for all @returns how many vectors there were */
  flush(prefix: string): number {
    let count = 0
    for (const [name, known] of this.#groups) {
      if (!name.startsWith(prefix)) continue
      for (; known.length > 0; count++) this.#drop(known, 0)
      this.#groups.delete(name)
    }
    return count
  }

  #use(group: string): Learnt[] | undefined {
    const known = this.#groups.get(group)
    if (!known) return undefined
    this.#groups.delete(group)
    this.#groups.set(group, known)
    return known
  }

  #drop(known: Learnt[], at: number): void {
    const [gone] = known.splice(at, 1)
    this.#numbers -= gone?.vector.length ?? 0
  }
}

/** Of two vectors of length 1: the cosine between them. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}
