/** What only a process of its own can show: signals, and fetch's limit. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { folder } from './world.ts'

const bun = process.execPath
const here = (name: string) => join(import.meta.dir, name)

async function until(stream: ReadableStream<Uint8Array>, word: string): Promise<() => Promise<string>> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let text = ''
  while (!text.includes(word)) {
    const { value, done } = await reader.read()
    if (done) break
    text += decoder.decode(value, { stream: true })
  }
  return async () => {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return text
      text += decoder.decode(value, { stream: true })
    }
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`${signal} finishes what is in flight and ends with 0`, async () => {
    const child = Bun.spawn([bun, here('signals-child.ts'), '100', await folder()], { stdout: 'pipe', stderr: 'pipe' })
    // The gateway says that it stands: from then on a signal is a clean stop.
    await until(child.stderr, 'listens on')
    child.kill(signal)
    expect(await new Response(child.stdout).text()).toBe('stopping\nstopped\n')
    expect(await child.exited).toBe(0)
  })

test('a second signal does not wait', async () => {
  const child = Bun.spawn([bun, here('signals-child.ts'), '60000', await folder()], { stdout: 'pipe', stderr: 'pipe' })
  const rest = await until(child.stderr, 'listens on')
  child.kill('SIGTERM')
  await until(child.stdout, 'stopping')
  child.kill('SIGTERM')
  expect(await child.exited).toBe(143)
  expect(await rest()).toContain('finishing what is in flight')
})

function hold(...args: string[]): Record<string, unknown> {
  const { BUN_CONFIG_MAX_HTTP_REQUESTS: _, ...env } = process.env
  const child = Bun.spawnSync([bun, here('fetch-limit-child.ts'), ...args], { env: { ...env, TEST_PID: undefined } })
  expect(child.stderr.toString()).toBe('')
  return JSON.parse(child.stdout.toString())
}

test('600 requests go out at once, from the same process, its arguments unhurt', () => {
  expect(hold('a', 'b c', 'é', '--x=1')).toEqual({
    most: 600,
    answered: 600,
    samePid: true,
    args: ['a', 'b c', 'é', '--x=1'],
  })
}, 20_000)

test('without it, 256 do: the day this fails, Bun has lifted its limit', () => {
  expect(hold('unraised').most).toBe(256)
}, 20_000)

test('the door: main.ts gives the exit code of the command', () => {
  const main = join(import.meta.dir, '../../src/main.ts')
  const { exitCode, stderr } = Bun.spawnSync([bun, main, 'nope'])
  expect(exitCode).toBe(2)
  expect(stderr.toString()).toStartWith('tollgate: there is no command `nope`. There are serve, init, check, key, ')
})
