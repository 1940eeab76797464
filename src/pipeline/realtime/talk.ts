/** A conversation by WebSocket, as the socket of its caller sees it. */
export interface Talk {
  opened(caller: CallerSocket): void
  said(message: string | Buffer): void
  left(): void
  /** The gateway stops. */
  end(): void
}

export interface CallerSocket {
  send(message: string | Uint8Array): void
  close(code: number, reason: string): void
}

/** Makes a WebSocket of a request. */
export interface SocketDoor {
  accept(request: Request, talk: Talk, protocol: string | undefined): boolean
}
