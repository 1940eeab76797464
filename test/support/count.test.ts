/** The runner's sum: what must count as failed does. */
import { expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countRun } from './count.ts'
import { run } from './run-child.ts'
import { makeTemp, removeTemp } from './temp.ts'

const report = (attributes: string): string => `<?xml version="1.0"?>\n<testsuites name="bun test" ${attributes}>\n`

test('a report is added up', () => {
  expect(countRun(report('tests="10" failures="2" skipped="1"'), ' 7 pass\n 2 fail\n', 1)).toEqual({
    passed: 7,
    failed: 2,
    skipped: 1,
  })
})

test('a file that did not load is in the summary only', () => {
  expect(countRun(report('tests="4" failures="0" skipped="0"'), ' 4 pass\n 1 fail\n', 1).failed).toBe(1)
})

test('no report is a crash, whatever the exit code', () => {
  expect(countRun(undefined, '', 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('a bad exit code without a failure is one', () => {
  expect(countRun(report('tests="4" failures="0" skipped="0"'), ' 4 pass\n 0 fail\n', 139).failed).toBe(1)
})

test('real runs: failures, files that do not load, a test that ends the process', async () => {
  const folder = makeTemp('count')
  const cases: [string, string, { passed: number; failed: number }][] = [
    ['good', "import { test } from 'bun:test'\ntest('a', () => {})\n", { passed: 1, failed: 0 }],
    ['bad', "import { test } from 'bun:test'\ntest('a', () => { throw new Error('x') })\n", { passed: 0, failed: 1 }],
    ['unloadable', "import './nowhere.ts'\n", { passed: 0, failed: 1 }],
    ['leaving', "import { test } from 'bun:test'\ntest('a', () => process.exit(0))\n", { passed: 0, failed: 1 }],
  ]
  for (const [name, code, expected] of cases) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'x.test.ts'), code)
    const xml = join(folder, name, 'report.xml')
    const arguments_ = ['test', '--reporter=junit', `--reporter-outfile=${xml}`, `./${name}/x.test.ts`]
    const ran = await run([process.execPath, ...arguments_], { name, cwd: folder, limit: 20_000, quiet: true })
    const written = await Bun.file(xml)
      .text()
      .catch(() => undefined)
    expect({ name, ...countRun(written, ran.output, ran.code) }).toMatchObject({ name, ...expected })
  }
  removeTemp(folder)
}, 30_000)

/** Whether a process is over. A zombie is: it only waits to be counted by its new parent. */
async function over(pid: number): Promise<boolean> {
  const stat = await Bun.file(`/proc/${pid}/stat`)
    .text()
    .catch(() => 'gone')
  return /^gone$|\) Z /.test(stat)
}

test('a child that takes too long is ended, and what it started with it', async () => {
  const script = "console.log(Bun.spawn(['sleep', '600']).pid); setTimeout(() => {}, 60000)"
  const ran = await run([process.execPath, '-e', script], { name: 'sleeper', cwd: '/', limit: 1500, quiet: true })
  expect(ran.code).toBe(124)
  await Bun.sleep(100)
  expect(await over(Number(ran.output.match(/\d+/)?.[0]))).toBe(true)
}, 20_000)

test('a runner that is ended takes with it what it runs: a half-done build does not go on', async () => {
  const script = `
    import { run } from '${join(import.meta.dir, 'run-child.ts')}'
    await run(['bash', '-c', 'echo $$; sleep 600; true'], { name: 'build', cwd: '/', limit: 600000 })`
  const runner = Bun.spawn([process.execPath, '-e', script], { stdin: 'ignore', stdout: 'pipe' })
  const { value } = await runner.stdout.getReader().read()
  const build = Number(new TextDecoder().decode(value))
  expect(await over(build)).toBe(false)
  runner.kill('SIGTERM')
  expect(await runner.exited).toBe(130)
  await Bun.sleep(100)
  expect(await over(build)).toBe(true)
}, 20_000)
