/** `tollgate key scan`: what it finds, where, and that it never prints a key. All keys here are drawn, and nobody's. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Finder } from '../../src/cli/scan/finder.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { folder, tollgate } from './world.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
let seed = 7
const drawn = (n: number, from = LETTERS): string => {
  let text = ''
  for (let i = 0; i < n; i++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    text += from[Math.floor((seed / 2_147_483_648) * from.length)]
  }
  return text
}
/** In two parts, so that no scanner finds them here. */
const of = (prefix: string, rest: string): string => prefix + rest
const HEX = '0123456789abcdef'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const SAMPLES: [string, string][] = [
  ['Anthropic', of('sk-ant-', `api03-${drawn(93)}AA`)],
  ['OpenAI', of('sk-', `proj-${drawn(74)}T3BlbkFJ${drawn(74)}`)],
  ['OpenAI', of('sk-', `${drawn(20)}T3BlbkFJ${drawn(20)}`)],
  ['OpenRouter', of('sk-or-', `v1-${drawn(64, HEX)}`)],
  ['Google', of('AI', `za${drawn(35)}`)],
  ['AWS access key', of('AK', `IA${drawn(16, UPPER)}`)],
  ['Azure', of(drawn(52), `JQQJ99${drawn(18)}ACOG${drawn(4)}`)],
  ['Azure client secret', of('aB3', `8Q~${drawn(34)}`)],
  ['GitHub', of('gh', `p_${drawn(36)}`)],
  ['GitHub', of('github_', `pat_${drawn(82)}`)],
  ['GitLab', of('glp', `at-${drawn(20)}`)],
  ['Slack', of('xo', `xb-${drawn(12, '0123456789')}-${drawn(24)}`)],
  ['Hugging Face', of('h', `f_${drawn(34, LETTERS.slice(0, 52))}`)],
  ['Groq', of('gs', `k_${drawn(52)}`)],
  ['xAI', of('xa', `i-${drawn(80)}`)],
  ['Perplexity', of('pp', `lx-${drawn(48)}`)],
  ['Replicate', of('r', `8_${drawn(37)}`)],
  ['NVIDIA', of('nva', `pi-${drawn(64)}`)],
  ["Tollgate's or LiteLLM's shape", of('sk-', `aB3${drawn(19)}`)],
]

interface Told {
  findings: {
    key: string
    whose: string
    state: string | null
    places: string[]
    count: number
    token: string | null
  }[]
}
const scan = async (words: string[], env: Record<string, string> = {}) => {
  const ran = await tollgate(['key', 'scan', ...words, '--json'], env)
  return { ...ran, told: JSON.parse(ran.out) as Told }
}

test.each(SAMPLES)('%s', async (kind, secret) => {
  const at = await folder()
  await writeFile(join(at, 'app.env'), `# first\nNAME=x\nTOKEN="${secret}"\nother: {${secret}}\n`)
  const { code, told, out, err } = await scan([at, '--no-check'])
  expect([code, told.findings.length]).toEqual([1, 1])
  expect(told.findings[0]).toMatchObject({ whose: kind, count: 2, places: ['app.env:3', 'app.env:4'] })
  expect([out.includes(secret), err.includes(secret)]).toEqual([false, false])
  expect(told.findings[0]?.key).toEndWith(`…${secret.slice(-4)}`)
  expect(told.findings[0]?.key.length).toBeLessThan(20)
})

test('nothing where there is nothing: words, hashes, other people’s packages', async () => {
  const at = await folder()
  await mkdir(join(at, 'node_modules'))
  await writeFile(join(at, 'node_modules/x.js'), SAMPLES[0]?.[1] ?? '')
  await writeFile(
    join(at, 'style.css'),
    '.sk-fading-circle .sk-circle-before-and-after {}\nsk-this-is-only-a-sentence\n',
  )
  await writeFile(
    join(at, 'sums'),
    `${drawn(64, HEX)}\n${drawn(40, HEX)}\ndata:${drawn(4_000)}\nxAKIA${drawn(16, UPPER)}\n`,
  )
  const { code, out, err } = await tollgate(['key', 'scan', at, '--no-check'])
  expect([code, out, err]).toEqual([0, 'No keys were found.', '2 files read.'])
  expect((await tollgate(['key', 'scan', join(at, 'nowhere'), '--no-check'])).code).toBe(1)
})

test('a key is found once, however its bytes fall into pieces, at its line', () => {
  const secret = SAMPLES[1]?.[1] ?? ''
  const filler = () => `${drawn(50)} ${drawn(30)}\n`.repeat(20)
  const text = Array.from({ length: 30 }, (_, i) => `${filler()}key${i}=${secret.slice(0, -1)}${i % 10}\n`).join('')
  const expected = text.split('\n').flatMap((line, i) => (line.includes('T3Blbk') ? [i + 1] : []))
  const bytes = new TextEncoder().encode(text)
  for (const size of [1, 7, 64, 399, 400, 401, 1_601, 4_096, bytes.length]) {
    const lines: number[] = []
    const finder = new Finder(({ line }) => lines.push(line))
    for (let at = 0; at < bytes.length; at += size) finder.push(bytes.subarray(at, at + size))
    finder.end()
    expect([size, lines]).toEqual([size, expected])
  }
})

describe('a history', () => {
  const git = async (at: string, ...args: string[]) => {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
    const who = [
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      '-c',
      'init.defaultBranch=main',
      '-c',
      'commit.gpgsign=false',
    ]
    const ran = Bun.spawnSync(['git', '-C', at, ...who, ...args], { env })
    if (ran.exitCode !== 0) throw new Error(ran.stderr.toString())
    return ran.stdout.toString().trim()
  }

  test('what was taken out again, what lies on a branch, and what a message says', async () => {
    const at = await folder()
    await git(at, 'init')
    const [gone, branched, said] = [SAMPLES[0]?.[1], SAMPLES[4]?.[1], SAMPLES[8]?.[1]] as [string, string, string]
    await mkdir(join(at, 'src'))
    await writeFile(join(at, 'src/a b.ts'), `one\nconst key = '${gone}'\n`)
    await writeFile(join(at, 'big.bin'), Buffer.alloc(3_000_000, 'x'))
    await git(at, 'add', '.')
    await git(at, 'commit', '-m', 'first')
    const first = await git(at, 'rev-parse', '--short', 'HEAD')
    await writeFile(join(at, 'src/a b.ts'), 'one\n')
    await git(at, 'commit', '-am', `rotated ${said}`)
    const second = await git(at, 'rev-parse', 'HEAD')
    await git(at, 'checkout', '-b', 'other')
    await writeFile(join(at, 'src/c'), branched)
    await git(at, 'add', '.')
    await git(at, 'commit', '-m', 'branch')
    const third = await git(at, 'rev-parse', '--short', 'HEAD')
    await git(at, 'checkout', 'main')
    expect((await scan([at, '--no-check'])).told.findings).toEqual([])
    const { code, told, out } = await scan([at, '--git', '--no-check'])
    expect(code).toBe(1)
    expect(told.findings.map(({ whose, places }) => [whose, places]).sort()).toEqual(
      [
        ['Anthropic', [`${first} src/a b.ts:2`]],
        ['Google', [`${third} src/c:1`]],
        ['GitHub', [`commit ${second.slice(0, 12)}:6`]],
      ].sort() as never,
    )
    for (const secret of [gone, branched, said]) expect(out).not.toContain(secret)
  })

  test('no repository', async () => {
    const { code, err } = await tollgate(['key', 'scan', await folder(), '--git', '--no-check'])
    expect([code, err]).toEqual([1, expect.stringContaining("git can't read the history")])
  })
})

describe("a gateway's own keys", () => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await startGateway()
  })
  afterAll(() => gateway.stop())

  test.each([['a running gateway'], ['its data folder']])(
    '%s says which they are, and what became of them',
    async (how) => {
      const live = await makeKey(gateway, { key_alias: `live-${how.length}` })
      const gone = await makeKey(gateway, { key_alias: `gone-${how.length}` })
      const own = await makeKey(gateway, { key: `sk-only-words-here-${how.length}` })
      await gateway.call('POST', '/key/delete', { keys: [gone] })
      const unknown = of('sk-', `zZ9${drawn(19)}`)
      const at = await folder()
      const provider = SAMPLES[2]?.[1]
      await writeFile(
        join(at, 'f'),
        [live, gone, own, unknown, gateway.masterKey, provider, 'sk-not-a-key-at-all'].join('\n'),
      )
      const words = how === 'its data folder' ? ['--data', gateway.dataDir] : ['--url', gateway.url]
      const { code, told, out, err } = await scan([at, ...words], { TOLLGATE_MASTER_KEY: gateway.masterKey })
      expect(code).toBe(1)
      const states = Object.fromEntries(told.findings.map(({ places, state }) => [places[0], state]))
      const master = how === 'its data folder' ? {} : { 'f:5': 'master' }
      expect(states).toEqual({
        'f:1': 'live',
        'f:2': 'deleted',
        'f:3': 'live',
        'f:4': 'unknown',
        ...master,
        'f:6': null,
      })
      expect(told.findings[1]).toMatchObject({ whose: 'Tollgate', key_alias: `gone-${how.length}` })
      for (const secret of [live, gone, own, unknown, gateway.masterKey]) expect(out + err).not.toContain(secret)
      expect(gateway.logs()).not.toContain(live)
    },
  )

  test('keys of other providers are not sent to it', async () => {
    const asked: string[] = []
    const fake = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      async fetch(request) {
        asked.push(await request.text())
        return Response.json(request.method === 'POST' ? { keys: [{ state: 'unknown' }] } : {})
      },
    })
    const at = await folder()
    const own = of('sk-', `aB3${drawn(19)}`)
    await writeFile(
      join(at, 'f'),
      SAMPLES.slice(0, -1)
        .map(([, secret]) => secret)
        .concat(own)
        .join('\n'),
    )
    await scan([at, '--url', fake.url.origin], { TOLLGATE_MASTER_KEY: 'sk-master-key' })
    await fake.stop(true)
    expect(asked).toEqual(['', JSON.stringify({ keys: [own] })])
  })

  test('where none answers that is told, and one that was named has to', async () => {
    const at = await folder()
    await writeFile(join(at, 'f'), of('sk-', `aB3${drawn(19)}`))
    const free = { TOLLGATE_MASTER_KEY: 'sk-master-key', TOLLGATE_URL: 'http://127.0.0.1:9' }
    const alone = await tollgate(['key', 'scan', at], free)
    expect([alone.code, alone.out.includes('not checked'), alone.err.includes('No gateway was asked')]).toEqual([
      1,
      true,
      true,
    ])
    const named = await tollgate(['key', 'scan', at, '--url', 'http://127.0.0.1:9'], free)
    expect([named.code, named.out]).toEqual([1, ''])
    expect((await tollgate(['key', 'scan', at, '--data', at], free)).err).toContain('there is no database')
  })

  test('rotate and refused on the command line', async () => {
    const env = { TOLLGATE_MASTER_KEY: gateway.masterKey, TOLLGATE_URL: gateway.url }
    const made = await tollgate(
      ['key', 'create', '--alias', 'cli', '--routes', 'llm_api_routes', '--ips', '127.0.0.1', '--rotate-every', '30d'],
      env,
    )
    const fresh = await tollgate(['key', 'rotate', 'cli', '--grace', '1h'], env)
    expect([fresh.code, fresh.out.startsWith('sk-'), fresh.out === made.out]).toEqual([0, true, false])
    const status = async (key: string) =>
      (await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status
    expect([await status(made.out), await status(fresh.out)]).toEqual([200, 200])
    const again = await tollgate(['key', 'rotate', fresh.out], env)
    expect([await status(made.out), await status(fresh.out), await status(again.out)]).toEqual([401, 401, 200])
    const told = await tollgate(['key', 'refused'], env)
    expect(told.out).toMatch(/cli\s+sk-\.\.\.\S{4}\s+replaced\s+1\s/)
    const { info } = (await (await gateway.call('GET', '/key/info?key=cli')).json()) as {
      info: Record<string, unknown>
    }
    expect(info).toMatchObject({
      allowed_routes: ['llm_api_routes'],
      allowed_ips: ['127.0.0.1'],
      rotation_interval: '30d',
    })
  })
})
