import { expect, test } from 'bun:test'
import { startBlackhole } from './blackhole.ts'

test('connecting hangs, and is over when the hole is closed', async () => {
  const hole = await startBlackhole()
  const began = performance.now()
  const failed = await fetch(hole.url, { signal: AbortSignal.timeout(500) }).catch((cause: Error) => cause.name)
  expect(failed).toBe('TimeoutError')
  expect(performance.now() - began).toBeGreaterThan(450)
  await hole.stop()
  expect(await fetch(hole.url).catch((cause: { code?: string }) => cause.code)).toBe('ECONNREFUSED')
})
