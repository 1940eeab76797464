/** Who may import whom: read from the source, so that the house cannot drift from its plan. Types are free. */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const ROOT = join(import.meta.dir, '../..')

/** Room → rooms it may import from. `*` is everything. Packages are listed as `npm:name`. */
const MAY: Record<string, readonly string[]> = {
  core: [],
  dialects: ['core'],
  secrets: ['core', 'npm:zod', 'npm:@aws-sdk/credential-providers', 'npm:aws4fetch', 'npm:google-auth-library'],
  upstream: [
    'core',
    'dialects',
    'providers',
    'secrets',
    'npm:@aws-sdk/credential-providers',
    'npm:@pydantic/genai-prices',
    'package.json',
    'npm:ipaddr.js',
    'npm:zod',
  ],
  // What upstream offers them: their contract, the maker of rows, the keeper of tokens.
  providers: [
    'core',
    'dialects/gemini/path',
    'upstream/provider',
    'upstream/compatible',
    'upstream/token',
    'upstream/aws-credentials',
    'secrets',
    'npm:zod',
    'npm:aws4fetch',
    'npm:google-auth-library',
  ],
  store: ['core', 'drizzle', 'npm:better-sqlite3', 'npm:drizzle-orm'],
  drizzle: ['npm:drizzle-orm'],
  observe: ['core'],
  guardrails: ['core', 'dialects', 'secrets', 'npm:zod', 'npm:re2js', 'npm:ajv', 'npm:yaml'],
  cache: ['core', 'secrets'],
  audit: ['core', 'secrets'],
  alerts: ['core', 'secrets', 'npm:nodemailer'],
  auth: ['core', 'secrets', 'npm:jose', 'npm:ipaddr.js', 'npm:otpauth', 'npm:@simplewebauthn/server'],
  config: ['core', 'secrets', 'npm:zod', 'npm:yaml'],
  pipeline: ['core', 'dialects', 'upstream', 'guardrails', 'npm:tiktoken'],
  admin: ['core', 'store', 'secrets', 'npm:zod'],
  http: [
    'core',
    'dialects',
    'upstream',
    'pipeline',
    'admin',
    'npm:elysia',
    'npm:acme-client',
    'npm:@peculiar/x509',
    'npm:ipaddr.js',
    'package.json',
  ],
  app: ['*'],
  cli: [
    'app',
    'alerts',
    'audit/keys',
    'auth/htpasswd',
    'config',
    'core',
    'store',
    'secrets',
    'package.json',
    'npm:citty',
    'npm:yaml',
  ],
  main: ['cli'],
}

/** Rooms that may not touch the outside world: no I/O, no clock, no chance. `node:buffer` is arithmetic. */
const PURE = ['core', 'dialects']
const IMPURE =
  /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bfetch\(|\bprocess\.|\bBun\.(?!hash\b)|\bsetTimeout\(|\bsetInterval\(|\bconsole\./

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
}

const sources = [...files('src'), ...files('providers'), ...files('drizzle')]

/** `src/core/price.ts` → `core`; `src/app.ts` → `app`; `providers/x.ts` → `providers`. */
function roomOf(file: string): string {
  const [top, second = ''] = file.split('/')
  return top === 'src' ? second.replace(/\.ts$/, '') : (top ?? '')
}

interface Import {
  from: string
  /** A room, `room/file`, or `npm:name`. */
  to: string
}

const transpiler = new Bun.Transpiler({ loader: 'ts' })
/** `import { type A, type B } from …`: types in the clothes of values. */
const ONLY_TYPES = /^import \{\s*(?:type \w+(?: as \w+)?,?\s*)+\} from .*$/gm

function importsOf(file: string): Import[] {
  const source = readFileSync(join(ROOT, file), 'utf8').replace(/^#!.*/, '').replace(ONLY_TYPES, '')
  return transpiler.scanImports(source).flatMap(({ path }) => {
    if (path.startsWith('node:') || path === 'bun' || path.startsWith('bun:')) return []
    if (!path.startsWith('.'))
      return [
        {
          from: file,
          to: `npm:${path
            .split('/')
            .slice(0, path.startsWith('@') ? 2 : 1)
            .join('/')}`,
        },
      ]
    const target = relative(ROOT, resolve(ROOT, dirname(file), path))
    return [{ from: file, to: target.replace(/^src\//, '').replace(/\.ts$/, '') }]
  })
}

const graph = sources.flatMap(importsOf)

test('every room imports only from the rooms it may', () => {
  const wrong = graph.filter(({ from, to }) => {
    const room = roomOf(from)
    const allowed = MAY[room]
    if (!allowed) return true
    const own = to.startsWith(`${room}/`) || to === room
    return !own && !allowed.some((a) => a === '*' || to === a || to.startsWith(`${a}/`))
  })
  expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
})

test('the graph was really read', () => {
  const has = (from: string, to: string) => graph.some((i) => i.from === from && i.to === to)
  expect(has('src/pipeline/serve.ts', 'pipeline/attempt')).toBe(true)
  expect(has('src/store/open.ts', 'npm:better-sqlite3')).toBe(true)
  expect(has('src/upstream/registry.ts', 'providers/index')).toBe(true)
  expect(graph.length).toBeGreaterThan(150)
})

test('core and dialects do no I/O, read no clock and throw no dice', () => {
  const code = (file: string) => readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  const impure = sources.filter((f) => PURE.includes(roomOf(f)) && IMPURE.test(code(f)))
  expect(impure).toEqual([])
})

test('only app, main, the command line and tests reach the composition root', () => {
  const roots = graph.filter(({ to }) => to === 'app').map(({ from }) => roomOf(from))
  expect(roots.filter((room) => room !== 'cli' && room !== 'main')).toEqual([])
})

test('every provider is in the list: a file of its own name, or a row', async () => {
  const { providers } = await import('../../providers/index.ts')
  const { rows } = await import('../../providers/compatible.ts')
  const natives = files('providers')
    .map((f) => f.replace(/^providers\/|\.ts$/g, ''))
    .filter((name) => !['index', 'compatible', 'quirks', 'watches'].includes(name))
  const ids = providers.map((p) => p.id)
  expect([...ids].sort()).toEqual([...natives, ...rows.map((row) => row.id)].sort())
  for (const name of natives) {
    const { default: native } = await import(`../../providers/${name}.ts`)
    expect(native.id).toBe(name)
  }
  const said = providers.flatMap((p) => [p.id, ...(p.prefixes ?? [])])
  expect(said.filter((prefix, i) => said.indexOf(prefix) !== i)).toEqual([])
})

test('the way of a request is on one screen', () => {
  const lines = readFileSync(join(ROOT, 'src/pipeline/serve.ts'), 'utf8').split('\n').length
  expect(lines).toBeLessThanOrEqual(50)
})
