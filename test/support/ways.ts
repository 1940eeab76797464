/** A way out without rules, through the global `fetch`, which tests may play. */
import type { Way, Ways } from '../../src/upstream/way-out.ts'

const plain = (origin: string): Way => ({
  isProxied: false,
  fetch: (url, init) => fetch(url, init),
  socket: (url, headers) => Promise.resolve(new WebSocket(url, { headers } as never)),
  address: () => {
    const { hostname, port, protocol } = new URL(origin)
    return Promise.resolve({ host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) })
  },
})

export const plainWays: Ways = { of: plain }
