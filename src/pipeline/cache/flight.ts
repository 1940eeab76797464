/**
 * An answer on its way for which more than one may be waiting: it is asked for once and read once, and each reader has it
 * from its beginning. Whoever leaves leaves alone; the upstream is hung up on when nobody is left. What a repeat may come
 * for (`Idempotency-Key`) is read to its end even then.
 */

/** What followers have to know of the first one's answer. */
export interface Head {
  servedBy: string
  modelId: string
  modelGroup: string
  contentType: string
}

export class Flight {
  /** The body it answers, as a digest. */
  readonly asked: string
  readonly #stays: boolean
  readonly #largest: number
  readonly #head = Promise.withResolvers<Head | undefined>()
  /** Read and not yet given to all; the first of them is the `#from`th of the answer. */
  #chunks: Uint8Array[] = []
  #from = 0
  #bytes = 0
  #isWhole = true
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #reading: Promise<void> | undefined
  #sign = Buffer.alloc(0)
  #over = false
  #broken: unknown
  readonly #readers = new Set<Reader>()
  #ended: ((bytes: Uint8Array | undefined) => void) | undefined

  /**
   * @param stays it is read to its end even where nobody is left
   * @param largest bytes that are kept in memory for those who come later and for the cache
   */
  constructor(asked: string, stays: boolean, largest: number) {
    this.asked = asked
    this.#stays = stays
    this.#largest = largest
  }

  /** What it is like, as soon as it has begun; undefined where it failed: whoever waited asks himself. */
  get head(): Promise<Head | undefined> {
    return this.#head.promise
  }

  /** Nothing came of it. */
  fail(): void {
    this.#head.resolve(undefined)
  }

  /** Whether one who comes now can have it from its beginning. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** A whole answer. */
  land(head: Head, body: Uint8Array): void {
    this.#chunks = [body]
    this.#over = true
    this.#head.resolve(head)
  }

  /**
   * A stream.
   * @param sign of life, '' for none: is sent and not kept
   * @param ended is told at its end what it was, whole, or undefined where it was too much or broke
   */
  begin(
    head: Head,
    stream: ReadableStream<Uint8Array>,
    sign: string,
    ended: (bytes: Uint8Array | undefined) => void,
  ): void {
    this.#sign = Buffer.from(sign)
    this.#reader = stream.getReader() as ReadableStreamDefaultReader<Uint8Array>
    this.#ended = ended
    this.#head.resolve(head)
  }

  /** @param closed is told once that this reader is done, and whether he left before the end */
  open(closed: (left: boolean) => void = () => {}): ReadableStream<Uint8Array> {
    const reader: Reader = { at: this.#from }
    this.#readers.add(reader)
    const leave = (left: boolean) => {
      if (!this.#readers.delete(reader)) return
      this.#trim()
      closed(left)
      if (left && this.#readers.size === 0) this.#abandoned()
    }
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunk = await this.#next(reader)
          if (chunk) return controller.enqueue(chunk)
          leave(false)
          if (this.#broken !== undefined) controller.error(this.#broken)
          else controller.close()
        },
        cancel: () => leave(true),
      },
      { highWaterMark: 0 },
    )
  }

  async #next(reader: Reader): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks[reader.at - this.#from]
      if (chunk) {
        reader.at++
        this.#trim()
        return chunk
      }
      if (this.#over) return undefined
      await this.#read()
    }
  }

  /** One read for all who wait for it. */
  #read(): Promise<void> {
    this.#reading ??= this.#readOne().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readOne(): Promise<void> {
    try {
      const part = await this.#reader?.read()
      if (!part || part.done) return this.#end(undefined)
      this.#chunks.push(part.value)
      this.#bytes += part.value.byteLength
      if (this.#bytes > this.#largest) this.#isWhole = false
      this.#trim()
    } catch (cause) {
      this.#end(cause)
    }
  }

  #end(cause: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#broken = cause
    const isKept = cause === undefined && this.#isWhole
    this.#ended?.(isKept ? Buffer.concat(this.#chunks.filter((chunk) => !this.#sign.equals(chunk))) : undefined)
  }

  /** What is too long to be kept is let go as soon as all who read it have it. */
  #trim(): void {
    if (this.#isWhole) return
    let least = this.#from + this.#chunks.length
    for (const { at } of this.#readers) least = Math.min(least, at)
    this.#chunks.splice(0, least - this.#from)
    this.#from = least
  }

  #abandoned(): void {
    if (this.#over) return
    if (!this.#stays || !this.#isWhole) {
      this.#isWhole = false
      void this.#reader?.cancel().catch(() => {})
      this.#end(undefined)
      return
    }
    void this.#toItsEnd()
  }

  async #toItsEnd(): Promise<void> {
    while (!this.#over && this.#readers.size === 0) {
      await this.#read()
      if (!this.#isWhole && this.#readers.size === 0) return this.#abandoned()
    }
  }
}

interface Reader {
  /** The chunk that he gets next, counted from the answer's first. */
  at: number
}
