/**
 * Whether anybody is at home. Bun's fetch has no connect timeout: behind a firewall that drops packets it waits for
 * minutes, and that looks like a model that thinks. So where an answer has not begun, a second connection is tried.
 */
import type { Link } from './link.ts'

/** Knocks that are under way, so that many waiting requests make one. */
const knocking = new Map<string, Promise<boolean>>()

/** @param ms how long a connection may take @returns false only where none was accepted within that time */
export function knock(link: Link, ms: number): Promise<boolean> {
  // Through a proxy only the proxy can tell, and it does.
  if (link.provider.inProcess || link.way().isProxied) return Promise.resolve(true)
  const under = knocking.get(link.origin)
  if (under) return under
  const knocked = link
    .way()
    .address()
    // Whatever is wrong with the name, fetch has met it, too.
    .then(
      ({ host, port }) => accepts(host, port, ms),
      () => true,
    )
  knocking.set(link.origin, knocked)
  void knocked.then(() => knocking.delete(link.origin))
  return knocked
}

function accepts(hostname: string, port: number, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    const settle = () => {
      clearTimeout(timer)
      resolve(true)
    }
    // A refusal is an answer too, and fetch has got it as well.
    const socket = { data() {}, open: (s: { end(): void }) => s.end(), connectError: settle }
    Bun.connect({ hostname, port, socket }).then(settle, settle)
  })
}
