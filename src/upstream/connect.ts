/**
 * A limit on connecting, which `fetch` has not: a host that drops our packets would otherwise cost the whole time to
 * the first byte. Beside a request to a server that we have not heard of for a while, a bare connection to it is
 * opened; where that does not stand in time, the request is given up. What is refused, `fetch` itself says at once.
 */

/** A server that answered this lately can be connected to. */
const FRESH_MS = 30_000

/** @param lastAnswerAt ms since the epoch; 0 = never */
export const isCold = (lastAnswerAt: number, now: number): boolean => now - lastAnswerAt > FRESH_MS

/**
 * @param origin scheme, host and port
 * @param ms how long connecting may take
 * @param onTimeout called once where it took longer
 * @returns ends the watch
 */
export function watchConnect(origin: string, ms: number, onTimeout: () => void): () => void {
  const url = new URL(origin)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  let over = false
  const end = () => {
    over = true
    clearTimeout(timer)
  }
  const timer = setTimeout(() => {
    if (over) return
    over = true
    onTimeout()
  }, ms)
  const done = (socket: { end(): void }) => {
    end()
    socket.end()
  }
  Bun.connect({
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    socket: { open: done, data() {}, connectError: end, error: end },
  }).catch(end)
  return end
}

/** Through a proxy, it is the proxy that is connected to, and not by us. */
export const goesThroughProxy = (env: Readonly<Record<string, string | undefined>>): boolean =>
  ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].some((name) => env[name])
