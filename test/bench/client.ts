/** A raw HTTP/1.1 keep-alive client: cheap, so that it does not outweigh what it measures. One request at a time. */
import type { Socket } from 'bun'

export interface Got {
  status: number
  body: Buffer
}

const EMPTY = Buffer.alloc(0)

export class Client {
  #socket: Socket<undefined> | undefined
  #buffered: Buffer = EMPTY
  #toWrite: Buffer = EMPTY
  #status = 0
  /** Bytes of the body still to come; -1 while the head is; -2 when chunked. */
  #left = -1
  #parts: Buffer[] = []
  #resolve: ((got: Got) => void) | undefined
  #reject: ((cause: Error) => void) | undefined

  async connect(port: number): Promise<void> {
    this.#socket = await Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        data: (_, bytes) => this.#take(bytes),
        drain: () => this.#flush(),
        close: () => this.#fail(new Error('the connection was closed')),
        error: (_, cause) => this.#fail(cause),
      },
    })
    this.#socket.setNoDelay(true)
  }

  /** @param request head and body in one buffer. @throws where the connection ends before the answer does */
  ask(request: Buffer): Promise<Got> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#toWrite = request
      this.#flush()
    })
  }

  close(): void {
    this.#resolve = undefined
    this.#reject = undefined
    this.#socket?.end()
  }

  #flush(): void {
    if (this.#toWrite.length === 0) return
    const written = this.#socket?.write(this.#toWrite) ?? -1
    if (written < 0) this.#fail(new Error('the connection was closed'))
    else this.#toWrite = this.#toWrite.subarray(written)
  }

  #fail(cause: Error): void {
    this.#reject?.(cause)
    this.#resolve = undefined
    this.#reject = undefined
  }

  #take(bytes: Uint8Array): void {
    // Bun reuses the buffer it hands out, and what is kept must not change.
    const fresh = Buffer.from(bytes)
    this.#buffered = this.#buffered.length === 0 ? fresh : Buffer.concat([this.#buffered, fresh])
    if (this.#left === -1 && !this.#head()) return
    if (this.#left === -2) this.#chunks()
    else this.#sized()
  }

  #head(): boolean {
    const end = this.#buffered.indexOf('\r\n\r\n')
    if (end < 0) return false
    const head = this.#buffered.toString('latin1', 0, end)
    this.#buffered = this.#buffered.subarray(end + 4)
    this.#status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    this.#left = length ? Number(length[1]) : -2
    if (!length && !/\r\ntransfer-encoding: *chunked/i.test(head)) this.#fail(new Error(`no length: ${head}`))
    return true
  }

  #sized(): void {
    if (this.#buffered.length < this.#left) return
    this.#done(this.#buffered.subarray(0, this.#left), this.#left)
  }

  #chunks(): void {
    let at = 0
    for (;;) {
      const line = this.#buffered.indexOf('\r\n', at)
      if (line < 0) break
      const size = Number.parseInt(this.#buffered.toString('latin1', at, line), 16)
      if (Number.isNaN(size)) {
        this.#fail(new Error('a chunk without a size'))
        return
      }
      if (this.#buffered.length < line + 2 + size + 2) break
      if (size === 0) {
        this.#done(Buffer.concat(this.#parts), line + 4)
        return
      }
      this.#parts.push(this.#buffered.subarray(line + 2, line + 2 + size))
      at = line + 2 + size + 2
    }
    this.#buffered = this.#buffered.subarray(at)
  }

  #done(body: Buffer, used: number): void {
    const resolve = this.#resolve
    this.#buffered = this.#buffered.subarray(used)
    this.#parts = []
    this.#left = -1
    this.#resolve = undefined
    this.#reject = undefined
    resolve?.({ status: this.#status, body })
  }
}
