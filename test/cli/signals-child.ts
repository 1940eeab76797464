/** Run by process.test.ts: `serve` with an app whose stop takes as long as the first argument says, in ms. */
import { run } from '../../src/cli/run.ts'
import { realTerminal } from '../../src/cli/terminal.ts'

const [, , patience = '0', data = ''] = process.argv
process.exit(
  await run(['bun', 'main.ts', 'serve', '--data', data], {
    ...realTerminal(),
    env: {},
    probe: async () => ({ ok: false, why: 'not asked' }),
    app: async () => ({
      providers: () => [{ id: 'demo', local: true }],
      guardKinds: () => [],
      tryGuards: async () => [],
      testAlerts: () => Promise.resolve([]),
      prices: () => {
        throw new Error('nobody asks for prices')
      },
      start: async () => ({
        url: 'http://127.0.0.1:4000',
        async stop() {
          console.log('stopping')
          await Bun.sleep(Number(patience))
          console.log('stopped')
        },
      }),
    }),
  }),
)
