/** A real Redis of one's own, on the loopback, with a password. */
import { bury, collect, freePort, makeTemp, removeTemp, terminate } from '../support/temp.ts'
import { findRedis } from './binary.ts'

export interface RedisServer {
  url: string
  port: number
  /** Ends it; what it kept in memory is gone. */
  stop(): Promise<void>
}

const PASSWORD = 'open-sesame'

/** @param port of an earlier one, to come back where that was */
export async function startRedis(port = freePort()): Promise<RedisServer> {
  const home = makeTemp('redis')
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', home]
  const child = Bun.spawn([findRedis() as string, ...words, '--requirepass', PASSWORD], {
    cwd: home,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  bury(child)
  const said = collect(child)
  for (let i = 0; !/Ready to accept connections/.test(said()); i++) {
    if (i > 400) throw new Error(`Redis did not start:\n${said()}`)
    await Bun.sleep(25)
  }
  return {
    url: `redis://:${PASSWORD}@127.0.0.1:${port}/0`,
    port,
    async stop() {
      await terminate(child, 5_000)
      removeTemp(home)
    },
  }
}
