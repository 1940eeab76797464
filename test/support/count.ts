/** Adds up one `bun test` run from its JUnit report, its last lines and its exit code: no failure may slip through. */

export interface Count {
  passed: number
  failed: number
  skipped: number
}

/**
 * The report knows each test but not files that did not load; the summary knows these too; neither is written where a
 * test ends the process, even with exit code 0.
 * @param report the JUnit file's text, undefined where none was written
 */
export function countRun(report: string | undefined, output: string, code: number): Count {
  const root = report === undefined ? undefined : /<testsuites\b[^>]*>/.exec(report)?.[0]
  if (root === undefined) return { passed: 0, failed: 1, skipped: 0 }
  const attribute = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0)
  const skipped = attribute('skipped')
  const inReport = attribute('failures') + attribute('errors')
  const inSummary = [...output.matchAll(/^ (\d+) fail$/gm)].at(-1)?.[1]
  const failed = Math.max(inReport, Number(inSummary ?? 0), code === 0 ? 0 : 1)
  return { passed: Math.max(0, attribute('tests') - inReport - skipped), failed, skipped }
}
