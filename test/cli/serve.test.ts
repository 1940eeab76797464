// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are for files and shells
/** `tollgate serve` up to the app, and what it says of it. The app itself is a stand-in that tells what it was given. */
import { describe, expect, test } from 'bun:test'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { App, Started, StartOptions } from '../../src/config/start.ts'
import { PROVIDERS } from '../config/providers.ts'
import { folder, noPrices, type Ran, tollgate } from './world.ts'

interface Served extends Ran {
  options: StartOptions | undefined
}

/** Starts, and stops by a signal as soon as the app stands. */
async function serve(
  words: string[],
  env: Record<string, string>,
  started: Partial<Started> = {},
  more = {},
): Promise<Served> {
  let options: StartOptions | undefined
  let stops = 0
  const app: App = {
    providers: () => PROVIDERS,
    guardKinds: () => [],
    tryGuards: async () => [],
    testAlerts: () => Promise.resolve([]),
    prices: noPrices,
    async start(given) {
      options = given
      return {
        url: 'http://127.0.0.1:4000',
        async stop() {
          stops++
        },
        ...started,
      }
    },
  }
  const running = tollgate(['serve', ...words], env, { app: async () => app, ...more })
  // The handler of the signal is there as soon as the app has been told of.
  const before = process.listenerCount('SIGTERM')
  const deadline = Date.now() + 5_000
  const ended = running.then(() => true)
  while (process.listenerCount('SIGTERM') === before && Date.now() < deadline)
    if (await Promise.race([ended, Bun.sleep(5)])) break
  if (process.listenerCount('SIGTERM') > before) process.emit('SIGTERM')
  const ran = await running
  process.removeAllListeners('SIGTERM')
  process.removeAllListeners('SIGINT')
  if (options) expect(stops).toBe(1)
  return { ...ran, options }
}

const curlOf = (text: string): string => {
  const lines = text.split('\n')
  const from = lines.findIndex((line) => line.trim().startsWith('curl '))
  return lines.slice(from, from + 4).join('\n')
}

test('without anything: the demo on the loopback, a made key shown once, a folder that is closed', async () => {
  const data = join(await folder(), 'd')
  const { code, err, options } = await serve(['--data', data], {}, { madeMasterKey: 'sk-just-made' })
  expect(code).toBe(0)
  expect(options).toMatchObject({ port: 4000, host: '127.0.0.1', dataDir: data, log: 'json', warnings: [] })
  expect(options?.masterKey).toBeUndefined()
  expect(options?.config.models.map((m) => m.alias)).toEqual(['demo'])
  expect((await stat(data)).mode & 0o777).toBe(0o700)
  expect(err).toContain('Tollgate listens on http://127.0.0.1:4000')
  expect(err).toContain('the built-in `demo` answers')
  expect(err).toContain('made just now and not shown again')
  expect(curlOf(err)).toBe(`  curl http://127.0.0.1:4000/v1/chat/completions \\
    -H "Authorization: Bearer sk-just-made" \\
    -H "Content-Type: application/json" \\
    -d '{"model":"demo","messages":[{"role":"user","content":"Hello!"}]}'`)
})

test('the options win over the environment, and the environment over the defaults', async () => {
  const at = await folder()
  const env = { PORT: '4100', TOLLGATE_HOST: '0.0.0.0', TOLLGATE_DATA: join(at, 'env') }
  expect((await serve([], env)).options).toMatchObject({ port: 4100, host: '0.0.0.0', dataDir: join(at, 'env') })
  const words = ['--port', '0', '--host', '::1', '--data', join(at, 'own')]
  expect((await serve(words, env)).options).toMatchObject({ port: 0, host: '::1', dataDir: join(at, 'own') })
})

describe('a configuration file', () => {
  const write = async (text: string) => {
    const at = await folder()
    await writeFile(join(at, 'c.yaml'), text)
    return { file: join(at, 'c.yaml'), data: join(at, 'd') }
  }

  test('its key is not shown, and the curl takes it from the environment', async () => {
    const { file, data } = await write(
      'model_list: [{ model_name: "it\'s", litellm_params: { model: ollama/x } }]\ngeneral_settings: { master_key: "sk-${M}" }\ntollgate: { log: pretty }',
    )
    const { out, err, options } = await serve(
      ['--config', file, '--data', data],
      { M: 'hunter2hunter2' },
      { url: 'http://0.0.0.0:9' },
    )
    expect(out + err).not.toContain('hunter2')
    expect(options?.masterKey?.reveal()).toBe('sk-hunter2hunter2')
    expect(curlOf(out)).toContain('-H "Authorization: Bearer sk-${M}"')
    expect(curlOf(out)).toContain('curl http://127.0.0.1:9/')
    // A shell reads the body as it was meant.
    const body = curlOf(out).split('-d ')[1] ?? ''
    expect(JSON.parse(Bun.spawnSync(['sh', '-c', `printf %s ${body}`]).stdout.toString()).model).toBe("it's")
  })

  test('a wrong one starts nothing, and every error is told', async () => {
    const { file, data } = await write('model_list: []\nrouter_settings: { nope: 1 }\npolicies: []\n')
    const { code, err, options } = await serve(['--config', file, '--data', data], {})
    expect([code, options]).toEqual([1, undefined])
    expect(err).toContain(`error: ${file}:2:20 router_settings.nope`)
    expect(err).toContain(`error: ${file}:3:1 policies`)
    expect(err).toContain('2 errors. Nothing was started.')
  })

  test('warnings are told and handed on; without models they are discovered', async () => {
    const { file, data } = await write('litellm_settings: { success_callback: [langfuse] }\n')
    const probe = async () => ({ ok: true, models: ['mistral:latest'] })
    const { code, err, options } = await serve(['--data', data], { TOLLGATE_CONFIG: file }, {}, { probe })
    expect(code).toBe(0)
    expect(err).toContain('the callback `langfuse` is known from LiteLLM and not built yet')
    expect(options?.warnings).toHaveLength(1)
    expect(options?.config.models.map((m) => m.alias)).toEqual(['mistral', 'ollama/mistral'])
  })
})

test('a master key in the environment is taken, and checked', async () => {
  const data = join(await folder(), 'd')
  const { options, err } = await serve(['--data', data], { LITELLM_MASTER_KEY: 'sk-from-outside' })
  expect(options?.masterKey?.reveal()).toBe('sk-from-outside')
  expect(curlOf(err)).toContain('Bearer $LITELLM_MASTER_KEY"')
  const bad = await serve(['--data', data], { TOLLGATE_MASTER_KEY: 'hunter2hunter2' })
  expect([bad.code, bad.err]).toEqual([
    1,
    'tollgate: the master key in the environment variable TOLLGATE_MASTER_KEY must begin with `sk-`.',
  ])
})

test('a key that was made earlier is not shown again, and the curl says where it comes from', async () => {
  const data = join(await folder(), 'd')
  const { err } = await serve(['--data', data], {})
  expect(err).toContain('# first: export TOLLGATE_MASTER_KEY=… (it was shown at the first start)')
  expect(curlOf(err)).toContain('Bearer $TOLLGATE_MASTER_KEY"')
})

describe('what people meet', () => {
  const failing = (code: string) => ({
    app: async (): Promise<App> => ({
      providers: () => PROVIDERS,
      guardKinds: () => [],
      tryGuards: async () => [],
      testAlerts: () => Promise.resolve([]),
      prices: noPrices,
      start: () => Promise.reject(Object.assign(new Error('x'), { code })),
    }),
  })

  test('a port that is taken, one that may not be used, an address that is not here', async () => {
    const data = join(await folder(), 'd')
    for (const [code, sentence] of [
      [
        'EADDRINUSE',
        'port 4000 on 127.0.0.1 is taken: something listens there already, perhaps another Tollgate. Stop it, or take another port: --port 4001',
      ],
      ['EACCES', 'port 4000 may not be used by this user. Ports from 1024 may: --port 4000'],
      ['EADDRNOTAVAIL', 'this machine has no address 127.0.0.1. 127.0.0.1 is always there, 0.0.0.0 means all of them.'],
    ] as const) {
      const { code: exit, err } = await tollgate(['serve', '--data', data], {}, failing(code))
      expect([exit, err]).toEqual([1, `tollgate: ${sentence}`])
    }
  })

  test('a data folder that is a file', async () => {
    const file = join(await folder(), 'f')
    await writeFile(file, '')
    const { code, err } = await tollgate(['serve', '--data', file], {})
    expect([code, err]).toEqual([1, `tollgate: the data folder ${file} is a file. Name another with --data.`])
  })

  test('a data folder that others may look into', async () => {
    const data = join(await folder(), 'open')
    await mkdir(data, { mode: 0o755 })
    expect((await serve(['--data', data], {})).err).toContain(`warning: others on this machine may look into ${data}.`)
  })
})
