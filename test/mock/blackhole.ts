/**
 * A port to which connecting hangs: no answer to the SYN, as behind a firewall that drops it. A stopped process listens
 * there and its backlog is full, so that Linux drops what comes on top.
 */
import { connect, type Socket } from 'node:net'

export interface Blackhole {
  url: string
  port: number
  stop(): Promise<void>
}

/** Bun listens with a backlog of 512; Linux takes one more. */
const MOST = 2000

export async function startBlackhole(): Promise<Blackhole> {
  const script = "console.log(Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } }).port)"
  const child = Bun.spawn([process.execPath, '-e', `${script}; setInterval(() => {}, 60000)`], { stdout: 'pipe' })
  const { value } = await child.stdout.getReader().read()
  const port = Number(new TextDecoder().decode(value))
  child.kill('SIGSTOP')
  const sockets: Socket[] = []
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    child.kill('SIGKILL')
    await child.exited
  }
  while (sockets.length < MOST) {
    const batch = Array.from({ length: 64 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    sockets.push(...batch)
    const open = batch.map((socket) => new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true))))
    const all = await Promise.race([Promise.all(open).then(() => true), Bun.sleep(200).then(() => false)])
    if (!all) return { url: `http://127.0.0.1:${port}`, port, stop }
  }
  await stop()
  throw new Error(`the backlog of 127.0.0.1:${port} took ${MOST} connections and is not full`)
}
