/** Temporary folders and child processes that do not outlive the tests, however these end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = new Set<string>()
const children = new Set<{ kill(signal?: NodeJS.Signals): void }>()

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A fresh folder, removed when the process exits if not before. */
export function makeTemp(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tollgate-${name}-`))
  folders.add(folder)
  return folder
}

export function removeTemp(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
}

/** Kills the child when this process exits before it does. */
export function bury(child: Bun.Subprocess): void {
  children.add(child)
  void child.exited.then(() => children.delete(child))
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  return port
}

/** Collects what a child says, as it says it. */
export function collect(child: Bun.Subprocess<'ignore', 'pipe', 'pipe'>): () => string {
  let text = ''
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const part of stream) text += decoder.decode(part, { stream: true })
  }
  for (const stream of [child.stdout, child.stderr]) void read(stream).catch(() => {})
  return () => text
}

/**
 * Waits until `url` answers 200.
 * @throws Error with what the child said, when it exits or does not answer within `ms`
 */
export async function ready(child: Bun.Subprocess, url: string, logs: () => string, ms: number): Promise<void> {
  const end = Date.now() + ms
  while (Date.now() < end) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await Bun.sleep(50)
      throw new Error(`it exited with ${child.signalCode ?? child.exitCode} before it answered ${url}:\n${logs()}`)
    }
    try {
      const reply = await fetch(url, { signal: AbortSignal.timeout(2000) })
      await reply.arrayBuffer()
      if (reply.ok) return
    } catch {
      // Not there yet.
    }
    await Bun.sleep(20)
  }
  child.kill('SIGKILL')
  throw new Error(`it did not answer ${url} within ${ms} ms:\n${logs()}`)
}

/** SIGTERM, and SIGKILL where that does not end it within `ms`. @returns whether it ended by itself */
export async function terminate(child: Bun.Subprocess, ms: number): Promise<boolean> {
  child.kill('SIGTERM')
  const ended = await Promise.race([child.exited.then(() => true), Bun.sleep(ms).then(() => false)])
  if (ended) return true
  child.kill('SIGKILL')
  await child.exited
  return false
}
