/** The command line as its users run it. */
import { join } from 'node:path'

const MAIN = join(import.meta.dir, '../../src/main.ts')

/** Runs `tollgate` with these words and nothing else in its environment. */
export async function runTollgate(
  words: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, MAIN, ...words], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.TMPDIR ?? '/tmp', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, err }
}
