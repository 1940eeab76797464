/** Models are loaded at their time, as they will be used, and no others. */
import { expect, test } from 'bun:test'
import { due, type PrewarmPlan } from '../../src/upstream/prewarm.ts'
import { startMock } from '../mock/upstream.ts'
import { startGateway } from '../support/gateway.ts'

const plan = (minute: number, days: number[] = []): PrewarmPlan => ({ alias: 'm', minute, days, keepAlive: undefined })

test('a plan is due in its minute, on its days', () => {
  // 2026-11-21, a Saturday.
  const at = (hour: number, minute: number, day = 21) => Date.UTC(2026, 10, day, hour, minute)
  const plans = [plan(480), plan(480, [1, 6]), plan(480, [1])]
  expect(due(plans, at(8, 0))).toEqual([plan(480), plan(480, [1, 6])])
  expect(due(plans, at(8, 1))).toEqual([])
  expect(due(plans, at(7, 59))).toEqual([])
  expect(due(plans, at(8, 0, 23))).toEqual(plans)
})

test('the request loads with what is pinned, and asks for nothing', async () => {
  const mock = await startMock({ models: ['m', 'other', 'embedder'] })
  // One that only embeds does not generate.
  mock.plan('embedder', [{ status: 400 }, {}])
  const now = new Date(Date.now() + 1_000).toISOString().slice(11, 16)
  const of = (name: string, params: Record<string, unknown> = {}) => ({
    model_name: name,
    litellm_params: { model: `ollama/${name}`, api_base: mock.url, ...params },
  })
  const gateway = await startGateway({
    yaml: {
      model_list: [of('m', { num_ctx: 2048 }), of('other'), of('embedder')],
      tollgate: {
        prewarm: [
          { model: 'm', at: now, keep_alive: '10h' },
          { model: 'embedder', at: now },
          { model: 'other', at: now === '12:00' ? '13:00' : '12:00' },
        ],
      },
    },
  })
  try {
    await mock.until((seen) => seen.filter(({ method }) => method === 'POST').length === 3)
    const asked = mock.requests.filter(({ method }) => method === 'POST')
    expect(asked.map(({ path, model }) => `${path} ${model}`).sort()).toEqual([
      '/api/embed embedder',
      '/api/generate embedder',
      '/api/generate m',
    ])
    expect(mock.of('m')[0]?.body).toMatchObject({ model: 'm', keep_alive: '10h', options: { num_ctx: 2048 } })
    expect(mock.of('m')[0]?.body).not.toHaveProperty('prompt')
    expect(await (await gateway.call('GET', '/spend/logs')).json()).toEqual([])
  } finally {
    await gateway.stop()
    mock.stop()
  }
}, 20_000)
