/** Faults of a primary whose backup is well: each is met by an alias of its own, all at once, and judged. */
import { expect } from 'bun:test'
import { type Mock, startMock } from '../mock/upstream.ts'
import { atRest } from '../support/books.ts'
import type { Gateway } from '../support/gateway.ts'
import { FAULTS, redirect } from './faults.ts'
import type { Scene } from './scene.ts'
import { gatewayFor, judge, meet, meetings, UPSTREAM_KEY, WORDS } from './world.ts'

export function upstreams(): Scene {
  const caught: string[] = []
  const trap = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: ({ url }) => Response.json(caught.push(url)) })
  const redirects = [301, 302, 307, 308].map((code) => redirect(code, `http://127.0.0.1:${trap.port}`))
  const all = meetings([...FAULTS, ...redirects])
  let mock: Mock
  let gateway: Gateway
  return {
    width: 32,
    cases: all.map((meeting) => ({
      rows: meeting.fault.rows,
      name: `${meeting.fault.name}: ${meeting.alias}`,
      tongues: [meeting.target],
      forms: [meeting.stream ? 'streamed' : 'whole'],
      run: async () => judge(meeting, await meet(gateway, meeting), mock),
    })),
    async start() {
      mock = await startMock({ words: WORDS })
      gateway = await gatewayFor(all, mock)
    },
    async stop() {
      expect(caught).toEqual([])
      expect(gateway.logs()).not.toContain(UPSTREAM_KEY)
      await atRest(gateway)
      await gateway.stop()
      mock.stop()
      await trap.stop(true)
    },
  }
}
