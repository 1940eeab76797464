/** A host that drops our packets is given up on in the time for connecting, not in the time to the first byte. */
import { afterAll, expect, test } from 'bun:test'
import openai from '../../providers/openai.ts'
import { UpstreamFailure } from '../../src/core/failure.ts'
import { FREE } from '../../src/core/price.ts'
import { dialects } from '../../src/dialects/index.ts'
import { isCold } from '../../src/upstream/connect.ts'
import { Link } from '../../src/upstream/link.ts'
import { send } from '../../src/upstream/send.ts'
import { startBlackhole } from '../mock/blackhole.ts'

const hole = await startBlackhole()
const slow = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: () => Bun.sleep(600).then(() => new Response('late')),
})
afterAll(async () => {
  await hole.stop()
  await slow.stop(true)
})

function linkTo(port: number): Link {
  const timeouts = { connect: 200, firstByte: 60_000, idle: 60_000, total: 60_000 }
  const target = {
    ...{ id: 'a#1', alias: 'a', provider: 'openai', model: 'a', local: false, price: FREE, abilities: {}, timeouts },
    ...{ rpm: 0, tpm: 0, weight: 0, order: 0, maxParallel: 0, retries: undefined, defaults: {} },
  }
  const settings = openai.settings.parse({ api_base: `http://127.0.0.1:${port}/v1` })
  return new Link({
    target,
    provider: openai,
    settings,
    extraHeaders: {},
    extraBody: {},
    dropParams: undefined,
  } as never)
}

const ask = (link: Link) => send(link, dialects['openai-chat'], '{}', new AbortController().signal)

test('a connection that does not stand is given up on in time', async () => {
  const before = performance.now()
  const failed = await ask(linkTo(hole.port)).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(failed).toBeInstanceOf(UpstreamFailure)
  expect((failed as UpstreamFailure).failure.kind).toBe('unreachable')
  expect(performance.now() - before).toBeLessThan(2_000)
})

test('a server that connects and is slow to answer is waited for', async () => {
  expect(await (await ask(linkTo(slow.port as number))).text()).toBe('late')
})

test('a server that answered a moment ago is not watched again', () => {
  expect(isCold(0, 1_000_000)).toBe(true)
  expect(isCold(990_000, 1_000_000)).toBe(false)
})
