/** The clocks as they are where nobody sets them: how long a target may be silent before somebody else is asked. */
import { expect } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask, type Tongue } from '../support/ask.ts'
import { atRest } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { each, type Scene, TONGUES } from './scene.ts'
import { deployment, FULL, WORDS } from './world.ts'

const PLANS = {
  silent: ['hang'],
  slow: ['slowfirst:90000'],
  stalls: ['stall:20'],
  loads: ['slowheaders:12000'],
} as const

export function clocks(): Scene {
  let mock: Mock
  let gateway: Gateway
  const meet = (fault: keyof typeof PLANS, within: number, by?: string) => async (tongue: Tongue, stream: boolean) => {
    const alias = `${fault}-${tongue}-${stream}`
    // Where a whole answer is not watched (a cloud's), what bounds it is the most that it may say.
    const more = !stream && tongue === 'openai' ? { max_tokens: WORDS } : {}
    const said = await ask(gateway, { tongue, stream, model: alias, more })
    if (said.error !== undefined) {
      // A stream of OpenAI's cannot go on with a beginning: it may say so, and not end as if it were whole.
      expect([fault, stream, tongue, said.whole]).toEqual(['stalls', true, 'openai', false])
      expect(FULL.startsWith(said.text)).toBeTrue()
    } else expect(said).toMatchObject({ status: 200, whole: true, text: FULL })
    expect(said.ms).toBeLessThan(within)
    expect(mock.of(alias)).toHaveLength(1)
    if (by) expect(said.by).toBe(`${tongue}/${by === 'primary' ? '' : 'b-'}${alias}`)
  }
  return {
    width: 100,
    cases: [
      ...each(['No response at all', 'never answers'], meet('silent', 27_000, 'backup')),
      ...each(['Slow first token'], meet('slow', 27_000, 'backup')),
      ...each(['Stream stalls after 20 words', 'silent stall after some tokens'], meet('stalls', 45_000)),
      ...each(['Local model needs 12 s to load'], meet('loads', 20_000)),
    ],
    async start() {
      mock = await startMock({ words: WORDS })
      const model_list: Record<string, unknown>[] = []
      for (const tongue of TONGUES)
        for (const stream of [true, false])
          for (const [fault, plan] of Object.entries(PLANS)) {
            const alias = `${fault}-${tongue}-${stream}`
            mock.plan(alias, plan)
            model_list.push(deployment(alias, tongue, mock.url, alias, { order: 0 }))
            model_list.push(deployment(alias, tongue, mock.url, `b-${alias}`, { order: 1 }))
          }
      gateway = await startGateway({ yaml: { model_list, tollgate: { backends: { [mock.url]: { slots: 1_000 } } } } })
    },
    async stop() {
      await atRest(gateway)
      await gateway.stop()
      mock.stop()
    },
  }
}
