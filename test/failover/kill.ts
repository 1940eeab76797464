/** kill -9 in the middle of everything, and a start on what is left. */
import { expect } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Said } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { freePort, makeTemp, removeTemp } from '../support/temp.ts'
import { FORMS, type Scene, TONGUES } from './scene.ts'
import { deployment, FULL, WORDS } from './world.ts'

const CALLERS = 50

export function kill(): Scene {
  let mock: Mock
  let gateway: Gateway
  let first: Gateway
  const dataDir = makeTemp('killed')
  const port = freePort()
  const start = () =>
    startGateway({
      dataDir,
      port,
      yaml: {
        model_list: TONGUES.flatMap((tongue) => [
          deployment(`long-${tongue}`, tongue, mock.url, `long-${tongue}!slow:500`),
          deployment(`ok-${tongue}`, tongue, mock.url, 'ok'),
        ]),
        tollgate: { backends: { [mock.url]: { slots: 1_000 } } },
      },
    })

  async function killed(): Promise<void> {
    const seen: { at: number; said: Said | undefined }[] = []
    const all = Array.from({ length: CALLERS }, async (_, i) => {
      const tongue = TONGUES[i % 2] as (typeof TONGUES)[number]
      const said = await ask(gateway, { tongue, model: `long-${tongue}`, stream: i % 4 < 2 }).catch(() => undefined)
      seen.push({ at: performance.now(), said })
    })
    await mock.until(() => mock.inFlight === CALLERS)
    await Bun.sleep(700)
    const at = performance.now()
    await gateway.kill9()
    await Promise.all(all)
    for (const { at: end, said } of seen) {
      expect(end - at).toBeLessThan(4_000)
      expect([said?.whole ?? false, said ? said.broke : true]).toEqual([false, true])
    }
    first = gateway
    const again = performance.now()
    gateway = await start()
    expect(performance.now() - again).toBeLessThan(5_000)
    for (const tongue of TONGUES)
      for (const form of FORMS) {
        const said = await ask(gateway, { tongue, model: `ok-${tongue}`, stream: form === 'streamed' })
        expect(said).toMatchObject({ status: 200, whole: true, text: FULL })
      }
    await atRest(gateway)
  }

  return {
    width: 1,
    cases: [
      {
        rows: ['kill -9 with 50 requests in flight, restart'],
        name: `${CALLERS} callers`,
        tongues: TONGUES,
        forms: FORMS,
        run: killed,
      },
    ],
    async start() {
      mock = await startMock({ words: WORDS })
      gateway = await start()
    },
    async stop() {
      await gateway.stop()
      await first?.stop()
      mock.stop()
      removeTemp(dataDir)
    },
  }
}
