/** An answer that breaks off where the next target takes no beginning, and one that drips. */
import { expect } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Tongue } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { each, type Scene, TONGUES } from './scene.ts'
import { deployment, FULL, UPSTREAM_KEY, WORDS } from './world.ts'

export function joins(): Scene {
  let mock: Mock
  let goingOn: Gateway
  let anew: Gateway

  /** Told of the real failure, the break, and not of the refusal that came of trying to mend it. */
  const refused = async (tongue: Tongue) => {
    const said = await ask(goingOn, { tongue, stream: true, model: `refuses-${tongue}` })
    expect(said).toMatchObject({ status: 200, whole: false, finish: undefined })
    expect(said.error).toMatch(/cut off/)
    expect(said.body).not.toContain('prefill')
    expect(FULL.startsWith(said.text)).toBeTrue()
  }
  /** Where it may begin anew there is nothing to refuse. */
  const restarted = async (tongue: Tongue) => {
    const said = await ask(anew, { tongue, stream: true, model: `refuses-${tongue}` })
    expect(said).toMatchObject({ status: 200, whole: true, text: FULL })
  }
  const drips = async (tongue: Tongue) => {
    const said = await ask(goingOn, { tongue, stream: true, model: `drips-${tongue}` })
    expect(said).toMatchObject({ status: 200, whole: true, text: FULL })
    // All of it would have taken 24 s at the primary. It is given up after five.
    expect(said.ms).toBeWithin(4_500, 15_000)
  }
  const alone = async (tongue: Tongue) => {
    const said = await ask(goingOn, { tongue, stream: true, model: `lone-${tongue}` })
    expect(said).toMatchObject({ status: 200, whole: true, text: FULL })
  }
  const streamed = { forms: ['streamed'] } as const
  return {
    width: 16,
    cases: [
      ...each(['Stream cut and the backup rejects prefill', 'prefill refused by the second target'], refused, streamed),
      ...each(['Stream cut and the backup rejects prefill'], restarted, streamed),
      ...each(['slow drip'], drips, streamed),
      ...each(['slow drip'], alone, streamed),
    ],
    async start() {
      mock = await startMock({ words: WORDS })
      const model_list = TONGUES.flatMap((tongue) => {
        const at = (alias: string, model: string, order: number) => ({
          ...deployment(alias, tongue, mock.url, model, { order }),
          model_info: { supports_assistant_prefill: true },
        })
        return [
          at(`refuses-${tongue}`, `half-${tongue}!cut:40`, 0),
          at(`refuses-${tongue}`, `rest-${tongue}!noprefill`, 1),
          at(`drips-${tongue}`, `drip-${tongue}!slow:400`, 0),
          at(`drips-${tongue}`, `quick-${tongue}`, 1),
          at(`lone-${tongue}`, `lone-${tongue}!slow:100`, 0),
        ]
      })
      const begin = (midstream: string) =>
        startGateway({
          yaml: {
            model_list,
            router_settings: { num_retries: 0, disable_cooldowns: true },
            tollgate: { midstream, least_tokens_per_second: 15, backends: { [mock.url]: { slots: 1_000 } } },
          },
        })
      ;[goingOn, anew] = await Promise.all([begin('continue'), begin('restart')])
    },
    async stop() {
      for (const gateway of [goingOn, anew]) {
        await atRest(gateway)
        expect(gateway.logs()).not.toContain(UPSTREAM_KEY)
        await gateway.stop()
      }
      mock.stop()
    },
  }
}
