/** Requests as bytes, for what no well-bred client sends, and all that comes back. */
import { connect } from 'node:net'

export interface Reply {
  /** 0: nothing that is HTTP came. */
  status: number
  /** Everything that was sent, heads included. */
  bytes: Buffer
  /** The end did not come in time. */
  hung: boolean
}

/** Sends and reads until the connection ends (ask for `connection: close`). @param limit ms */
export function exchange(port: number, bytes: Uint8Array, limit: number): Promise<Reply> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let size = 0
    const end = (hung: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      const all = Buffer.concat(parts)
      // Interim answers come before the one that counts.
      const head = all
        .subarray(0, 4_096)
        .toString('latin1')
        .replace(/^(HTTP\/1\.1 10[02-9][\s\S]*?\r\n\r\n)+/, '')
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
      resolve({ status, bytes: all, hung })
    }
    const timer = setTimeout(() => end(true), limit)
    const socket = connect(port, '127.0.0.1', () => void socket.write(bytes))
    socket.on('data', (part: Buffer) => {
      parts.push(part)
      size += part.length
      // A conversation by WebSocket has begun: that is an end, too.
      if (parts.length === 1 && part.subarray(0, 12).toString('latin1') === 'HTTP/1.1 101') end(false)
      else if (size > 64 * 1024 * 1024) end(true)
    })
    socket.on('error', () => {})
    socket.on('close', () => end(false))
  })
}

/** One request. The length of the body is told as it is, unless a header says otherwise. */
export function requestBytes(
  method: string,
  target: string,
  headers: readonly (readonly [name: string, value: string])[],
  body: Uint8Array | undefined,
): Uint8Array {
  const named = new Set(headers.map(([name]) => name.toLowerCase()))
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(named.has('host') ? [] : ['Host: gateway']),
    'Connection: close',
    ...(body && !named.has('content-length') && !named.has('transfer-encoding')
      ? [`Content-Length: ${body.byteLength}`]
      : []),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return body ? Buffer.concat([head, body]) : head
}
