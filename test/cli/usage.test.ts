/** A wrong command line is told of, exit code 2; nothing that was said is dropped. */
import { describe, expect, test } from 'bun:test'
import pkg from '../../package.json'
import { tollgate } from './world.ts'

const CASES: [string[], string][] = [
  [
    [],
    'a command is missing: serve, init, check, key, admin, auth, route, grants, guard, statement, ledger, alerts, audit, content, privacy, prices, openapi, doctor, sbom.',
  ],
  [['sreve'], 'there is no command `sreve`. Did you mean `serve`?'],
  [
    ['toString'],
    'there is no command `toString`. There are serve, init, check, key, admin, auth, route, grants, guard, statement, ledger, alerts, audit, content, privacy, prices, openapi, doctor, sbom.',
  ],
  [['key'], 'a command is missing: create, list, delete, rotate, refused, scan, block, unblock.'],
  [['key', 'crate'], 'there is no command `crate`. Did you mean `create`?'],
  [['serve', '--prot', '1'], 'there is no option `--prot`. Did you mean `--port`?'],
  [['serve', '--no-config'], 'there is no option `--no-config`. Did you mean `--config`?'],
  [['serve', '-p', '1'], 'there is no option `-p`.'],
  [['serve', 'file.yaml'], 'what is `file.yaml`? This command takes options only.'],
  [['serve', '--port'], '`--port` needs a value.'],
  [['serve', '--port='], '`--port` needs a value.'],
  [['serve', '--port', 'x'], '`x` is no port: a number from 0 to 65535 is.'],
  [['serve', '--port', '65536'], '`65536` is no port: a number from 0 to 65535 is.'],
  [['key', 'create', '--max-budget', 'x'], '`--max-budget x` is no amount: 2.50 is.'],
  [['key', 'create', '--max-budget=-1'], '`--max-budget -1` is no amount: 2.50 is.'],
  [['key', 'create', '--duration', 'soon'], '`--duration soon` is no duration: 1h, 30d and 1mo are.'],
  [['key', 'create', '--rpm', '1.5'], '`--rpm 1.5` is no whole number from 1.'],
  [['key', 'create', '--budget-duration', '1d'], '`--budget-duration` bounds nothing without `--max-budget`.'],
  [['key', 'delete'], 'name the keys to delete, or `--alias`.'],
  [['key', 'block', 'a', 'b'], 'one key at a time.'],
  [['grants', 'aprove'], 'there is no command `aprove`. Did you mean `approve`?'],
  [['grants', 'approve', 'g', '--for', 'ever'], '`--for ever` is no duration: 1h, 30d and 1mo are.'],
  [['grants', 'refuse', 'g', 'h'], 'one at a time.'],
]

describe('wrong command lines', () => {
  for (const [words, message] of CASES)
    test(`tollgate ${words.join(' ')}`, async () => {
      const { code, out, err } = await tollgate(words)
      expect([code, out, err.split('\n')[0]]).toEqual([2, '', `tollgate: ${message}`])
    })
})

test('a port in the environment is checked, too', async () => {
  expect((await tollgate(['serve'], { PORT: 'abc' })).code).toBe(2)
})

test('help for each command, and the version', async () => {
  for (const words of [
    [],
    ['serve'],
    ['init'],
    ['check'],
    ['key'],
    ['key', 'create'],
    ['grants'],
    ['grants', 'approve'],
    ['prices'],
    ['prices', 'explain'],
  ]) {
    const { code, out, err } = await tollgate([...words, '--help'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(['tollgate', ...words].join(' '))
  }
  expect((await tollgate(['--version'])).out).toBe(pkg.version)
})
