/** What is known of one model on one machine: whether it is loaded, and how long things take there. Pure. */

/** As a machine lists it (Ollama's `/api/ps`). */
export interface Loaded {
  model: string
  /** Bytes, of which so many lie on the GPU. */
  size: number
  vram: number
  /** ms since the epoch; undefined: it stays. */
  expiresAt: number | undefined
}

/** The newest counts a fifth. */
const NEWEST = 0.2

/** A mean that forgets. */
export class Mean {
  #value: number | undefined

  observe(value: number): void {
    this.#value = this.#value === undefined ? value : this.#value + (value - this.#value) * NEWEST
  }

  get value(): number | undefined {
    return this.#value
  }
}

export class ModelAt {
  loaded: Loaded | undefined
  /** ms of a slot that one request takes, without loading. */
  readonly took = new Mean()
  /** ms to the first content where it was loaded already. */
  readonly first = new Mean()
  /** ms of loading. */
  readonly load = new Mean()

  /** The part that lies on the GPU, 0 to 1; undefined where it is not loaded. A machine without a GPU has 0. */
  get onGpu(): number | undefined {
    if (!this.loaded) return undefined
    return this.loaded.size > 0 ? Math.min(1, this.loaded.vram / this.loaded.size) : 1
  }
}

/** `tiny` and `tiny:latest` are one. */
export const plainName = (model: string): string => model.replace(/:latest$/, '')
