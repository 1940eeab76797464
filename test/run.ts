/**
 * The whole suite, behind `bun run test`: one `bun test` a folder, so that a crash takes only its own folder with it.
 * Some folders need what is not in the checkout (a real Ollama, say): with CI=true it is brought first, and nothing may be
 * left out.
 * Machines are shared and tests measure times: files in which a few tests failed are run once more, alone. What passes
 * then is named at the end as unsteady; what fails again, or fails in many files, has failed. All of it stands at the end.
 * The last line is `N passed, N failed`; the exit code is 0 only when nothing failed and something passed.
 */
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { findPebble } from './acme/binaries.ts'
import { findClients } from './python/venv.ts'
import { findOllama } from './real/binary.ts'
import { findRedis } from './redis/binary.ts'
import { type Count, countRun } from './support/count.ts'
import { type Failure, failuresIn } from './support/failures.ts'
import { run } from './support/run-child.ts'
import { makeTemp } from './support/temp.ts'
import { findVault } from './vault/binary.ts'

const ROOT = join(import.meta.dir, '..')
const CI = /^(true|1)$/i.test(process.env.CI ?? '')
/** A folder that takes longer has hung. */
const FOLDER_LIMIT = 15 * 60_000
/** The machine may be busy: Bun's own 5 s would blame the tests for it. */
const TEST_TIMEOUT = '30000'

const temp = makeTemp('suite')
const total: Count = { passed: 0, failed: 0, skipped: 0 }

/** More failing files than this are no accident. */
const SECOND_CHANCES = 3
const failed: Failure[] = []
const unsteady: Failure[] = []

/** Runs the files of one folder and adds them up. */
async function suite(name: string, files: readonly string[], timeout = TEST_TIMEOUT): Promise<void> {
  console.log(`\n── ${name}: ${files.length} ${files.length === 1 ? 'file' : 'files'}`)
  const { count, failures, code } = await runFiles(name, files, timeout)
  const again = [...new Set(failures.map(({ file }) => file))]
  // Only what the report names can be tried again: a crash, or a file that did not load, has failed.
  const named = count.failed === failures.length && !again.includes('')
  if (named && again.length > 0 && again.length <= SECOND_CHANCES) {
    console.log(`\n── ${name}: once more, alone: ${again.join(', ')}`)
    const second = await runFiles(`${name}-again`, again, timeout)
    if (second.count.failed === 0 && second.code === 0) {
      unsteady.push(...failures)
      count.passed += count.failed
      count.failed = 0
    }
  }
  total.passed += count.passed
  total.failed += count.failed
  total.skipped += count.skipped
  if (count.failed === 0) return
  failed.push(...failures)
  console.log(`── ${name}: ${count.failed} failed (exit ${code})`)
  if (!named)
    failed.push({ file: name, name: `ended with exit code ${code}`, told: 'A crash, or a file that did not load.' })
}

async function runFiles(
  name: string,
  files: readonly string[],
  timeout: string,
): Promise<{ count: Count; failures: Failure[]; code: number }> {
  const report = join(temp, `${name.replaceAll('/', '-')}.xml`)
  const reporting = ['--reporter=junit', `--reporter-outfile=${report}`]
  const command = [process.execPath, 'test', '--timeout', timeout, ...reporting, ...files.map((file) => `./${file}`)]
  const { code, output } = await run(command, { name, cwd: ROOT, limit: FOLDER_LIMIT, temp })
  const written = existsSync(report) ? await Bun.file(report).text() : undefined
  return { count: countRun(written, output, code), failures: failuresIn(written), code }
}

/** @param told how many characters of each failure's own words */
function tell(title: string, failures: readonly Failure[], told: number): void {
  if (failures.length === 0) return
  console.log(`\n${title}`)
  for (const failure of failures)
    console.log(`  ${failure.file}: ${failure.name}\n    ${failure.told.slice(0, told).replaceAll('\n', '\n    ')}`)
}

/** Test files by folder: `test/core` → its files, at any depth. */
function folders(): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const path of [...new Bun.Glob('**/*.test.{ts,tsx}').scanSync(import.meta.dir)].sort()) {
    const first = path.includes('/')
      ? `test/${path.split('/')[0]}`
      : dirname(relative(ROOT, join(import.meta.dir, path)))
    found.set(first, [...(found.get(first) ?? []), `test/${path}`])
  }
  return found
}

/** Folders whose tests need what is not in the checkout. With CI=true it is brought; else they run where it is there. */
const NEEDY = [
  { folder: 'test/acme', what: 'a real ACME authority', bun: 'test:acme', found: findPebble, timeout: '60000' },
  { folder: 'test/redis', what: 'a real Redis', bun: 'test:redis', found: findRedis, timeout: '60000' },
  { folder: 'test/vault', what: 'a real Vault', bun: 'test:vault', found: findVault, timeout: '60000' },
  { folder: 'test/python', what: 'clients of PyPI', bun: 'test:python', found: findClients, timeout: '90000' },
  { folder: 'test/real', what: 'a real Ollama', bun: 'test:real', found: findOllama, timeout: '120000' },
] as const

/**
 * Brings what is missing, one after the other, beside the tests that need nothing: builds take minutes, and tests mostly
 * wait. They get the time that nobody else wants.
 */
function bringAll(): ReadonlyMap<string, Promise<number>> {
  let last: Promise<unknown> = Promise.resolve()
  const under = new Map<string, Promise<number>>()
  for (const { folder, what, found } of CI ? NEEDY : []) {
    if (found()) continue
    const bring = async (): Promise<number> => {
      console.log(`\n── ${folder}: bringing ${what}`)
      const command = ['nice', '-n', '19', process.execPath, `${folder}/bring.ts`]
      const { code, output } = await run(command, {
        name: `bringing ${what}`,
        cwd: ROOT,
        limit: 40 * 60_000,
        quiet: true,
      })
      if (code !== 0)
        console.log(`\n── ${folder}: ${what} could not be brought (exit ${code}):\n${output.slice(-3_000)}`)
      return code
    }
    const next = last.then(bring, bring)
    under.set(folder, next)
    last = next
  }
  return under
}

async function everything(): Promise<void> {
  const all = folders()
  all.delete('test/bench')
  const under = bringAll()
  const needy = new Set<string>(NEEDY.map(({ folder }) => folder))
  for (const [name, files] of all) if (!needy.has(name)) await suite(name, files)
  for (const { folder, what, bun, found, timeout } of NEEDY) {
    const code = await under.get(folder)
    if (code !== undefined && code !== 0) {
      total.failed++
      failed.push({ file: folder, name: `bringing ${what}`, told: `It ended with ${code}; what it said stands above.` })
    }
    const files = all.get(folder) ?? []
    if (found()) await suite(folder, files, timeout)
    else if (!CI) console.log(`\nleft out: ${folder}, which needs ${what}; to bring it: bun run ${bun}`)
  }
}

try {
  await everything()
} catch (cause) {
  // The last line must come, whatever happens.
  total.failed++
  console.log(`the suite broke off: ${cause instanceof Error ? cause.message : String(cause)}`)
}
if (total.skipped > 0) {
  console.log(`${total.skipped} tests are marked as skipped${CI ? ', which counts as failed here' : ''}`)
  if (CI) total.failed += total.skipped
}
tell('Unsteady, passed when run again alone:', unsteady, 600)
tell('Failed:', failed.slice(0, 30), 1_500)
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1)
