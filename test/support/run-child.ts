/** Runs a child to its end, passing its output on as it comes, with a sign of life where it is silent. */
import { bury } from './temp.ts'

const SILENCE = 15_000

/** The last part of the output is kept: summaries stand there. */
const KEPT = 100_000

/**
 * @param limit ms after which it is killed, which counts as exit code 124
 * @returns its exit code (128 for a signal) and the end of its output, stdout and stderr in order of arrival
 */
export async function run(
  name: string,
  command: readonly string[],
  cwd: string,
  limit: number,
): Promise<{ code: number; output: string }> {
  const env = { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' }
  const child = Bun.spawn([...command], { cwd, env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  bury(child)
  const began = Date.now()
  let last = began
  let output = ''
  let late = false
  const pass = async (from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const part of from) {
      last = Date.now()
      const text = decoder.decode(part, { stream: true })
      output = (output + text).slice(-KEPT)
      to.write(text)
    }
  }
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1000)
    if (Date.now() - began > limit) {
      late = true
      child.kill('SIGKILL')
    } else if (Date.now() - last >= SILENCE) {
      last = Date.now()
      console.log(`… ${name} is still running, ${seconds} s`)
    }
  }, 1000)
  const piped = Promise.all([pass(child.stdout, process.stdout), pass(child.stderr, process.stderr)])
  const code = await child.exited
  clearInterval(timer)
  // A grandchild that was left behind may hold the pipes open: its output is not waited for.
  await Promise.race([piped, Bun.sleep(2000)])
  if (late) console.log(`… ${name} was ended after ${Math.round(limit / 1000)} s`)
  return { code: late ? 124 : (code ?? 128), output }
}
