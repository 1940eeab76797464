/** What may end before it is done, as whoever waits for it sees it: an `AbortSignal`, or something lighter. */
export interface Ending {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
