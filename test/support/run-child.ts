/** Runs a child to its end, passing its output on as it comes, with a sign of life where it is silent. */

const SILENCE = 15_000

/** The last part of the output is kept: summaries stand there. */
const KEPT = 100_000

export interface RunOptions {
  /** What it is called in signs of life. */
  name: string
  cwd: string
  /** ms after which it is killed, which counts as exit code 124. */
  limit: number
  /** Where its temporary files go. */
  temp?: string
  /** Keeps its output to itself. */
  quiet?: boolean
}

/** Groups of children that run now: they must not outlive this process. */
const groups = new Set<number>()
const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody is left in it.
  }
}

/** First asks, so that a child with a group of its own (a build) can end that too. */
async function endGroup(pid: number): Promise<void> {
  signalGroup(pid, 'SIGTERM')
  await Bun.sleep(300)
  signalGroup(pid, 'SIGKILL')
}

process.on('exit', () => {
  for (const pid of groups) signalGroup(pid, 'SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, async () => {
    await Promise.all([...groups].map(endGroup))
    process.exit(130)
  })
}

/**
 * The child is the head of a process group, and whatever it leaves behind in it is killed when it ends.
 * @returns its exit code (128 for a signal) and the end of its output, stdout and stderr in order of arrival
 */
export async function run(command: readonly string[], options: RunOptions): Promise<{ code: number; output: string }> {
  const { name, cwd, limit, temp, quiet } = options
  const env = { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1', ...(temp === undefined ? {} : { TMPDIR: temp }) }
  const child = Bun.spawn([...command], {
    cwd,
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    detached: true,
  })
  groups.add(child.pid)
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
      if (quiet !== true) to.write(text)
    }
  }
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1000)
    if (Date.now() - began > limit) {
      late = true
      clearInterval(timer)
      void endGroup(child.pid)
    } else if (Date.now() - last >= SILENCE) {
      last = Date.now()
      console.log(`… ${name} is still running, ${seconds} s`)
    }
  }, 1000)
  const piped = Promise.all([pass(child.stdout, process.stdout), pass(child.stderr, process.stderr)])
  const code = await child.exited
  clearInterval(timer)
  signalGroup(child.pid, 'SIGKILL')
  groups.delete(child.pid)
  // A grandchild that left the group may hold the pipes open: its output is not waited for.
  await Promise.race([piped, Bun.sleep(2000)])
  if (late) console.log(`… ${name} was ended after ${Math.round(limit / 1000)} s`)
  return { code: late ? 124 : (code ?? 128), output }
}
