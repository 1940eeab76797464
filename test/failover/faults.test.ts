/** The table of faults: all are met at once, each by an alias of its own, and judged one by one. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { inParallel, type Said } from '../support/ask.ts'
import type { Gateway } from '../support/gateway.ts'
import { FAULTS, redirect } from './faults.ts'
import { gatewayFor, judge, type Meeting, meet, meetings, UPSTREAM_KEY, WORDS } from './world.ts'

const trap = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => Response.json(caught.push(request.url)) })
const caught: string[] = []
const faults = [...FAULTS, ...[301, 302, 307, 308].map((code) => redirect(code, `http://127.0.0.1:${trap.port}`))]
const all = meetings(faults)
const met = new Map<Meeting, PromiseWithResolvers<Said>>(all.map((meeting) => [meeting, Promise.withResolvers<Said>()]))
let mock: Mock
let gateway: Gateway

beforeAll(async () => {
  mock = await startMock({ words: WORDS })
  gateway = await gatewayFor(all, mock)
  // Those that wait for a timeout do not keep the others from their turn.
  void inParallel(all, 32, async (meeting) => {
    const { resolve, reject } = met.get(meeting)!
    await meet(gateway, meeting).then(resolve, reject)
  })
}, 30_000)
afterAll(async () => {
  await gateway.stop()
  mock.stop()
  await trap.stop(true)
})

test.each(faults.map((fault) => [fault.name, fault] as const))(
  '%s',
  async (_, fault) => {
    const mine = all.filter((meeting) => meeting.fault === fault)
    expect(mine.length).toBeGreaterThanOrEqual(2)
    for (const meeting of mine) judge(meeting, await met.get(meeting)!.promise, mock)
  },
  60_000,
)

test('no redirect was followed, no key was logged, and nothing is held', async () => {
  await Promise.all([...met.values()].map(({ promise }) => promise))
  expect(caught).toEqual([])
  expect(gateway.logs()).not.toContain(UPSTREAM_KEY)
  expect(await (await gateway.call('GET', '/global/spend')).json()).toMatchObject({ open_holds: 0, held: 0 })
}, 60_000)
