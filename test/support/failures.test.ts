/** The names and words of what failed, out of a report that Bun itself has written. */
import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { failuresIn } from './failures.ts'
import { run } from './run-child.ts'
import { makeTemp, removeTemp } from './temp.ts'

test('each failed test, and only those', async () => {
  const folder = makeTemp('failures')
  const code = `import { describe, expect, test } from 'bun:test'
describe('a > b', () => {
  test('good', () => {})
  test('bad "q" <z>', () => expect('<a&b>').toBe('ä'))
})
test('throws', () => { throw new Error('boo') })
`
  writeFileSync(join(folder, 'x.test.ts'), code)
  const xml = join(folder, 'report.xml')
  const command = [process.execPath, 'test', '--reporter=junit', `--reporter-outfile=${xml}`, './x.test.ts']
  await run(command, { name: 'x', cwd: folder, limit: 20_000, quiet: true })
  const failures = failuresIn(await Bun.file(xml).text())
  expect(failures.map(({ file, name }) => `${file}: ${name}`)).toEqual([
    'x.test.ts: a > b > bad "q" <z>',
    'x.test.ts: throws',
  ])
  expect(failures[0]?.told).toContain('Received: "<a&b>"')
  expect(failures[1]?.told).toContain('boo')
  removeTemp(folder)
}, 30_000)

test('no report, no names', () => {
  expect(failuresIn(undefined)).toEqual([])
})
