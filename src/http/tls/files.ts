/** A certificate out of two files, read anew when they change: whoever renews them (certbot, a mounted secret) tells nobody. */
import { readFile, stat } from 'node:fs/promises'
import { type Pair, pairOf } from './pair.ts'

/** Renewals have days; a look costs two `stat`. */
export const LOOK_MS = 10_000

/** @throws Error with a sentence for the operator */
export async function readPair(where: { cert: string; key: string }): Promise<Pair> {
  return pairOf(await readText(where.cert), await readText(where.key), where)
}

/** @throws Error with a sentence for the operator */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Error(`${path} can't be read (${(cause as { code?: string }).code ?? 'unknown'})`)
  }
}

/** Changes when one of the files does, links to them included. Files that are gone have a mark, too. */
async function markOf(paths: readonly string[]): Promise<string> {
  const marks = paths.map(async (path) => {
    const found = await stat(path).catch(() => undefined)
    return found ? `${found.ino}:${found.mtimeMs}:${found.size}` : 'gone'
  })
  return (await Promise.all(marks)).join(' ')
}

/**
 * Calls `changed` when a file is another than before, and again at the next look where that threw: a pair that is half
 * written stays unused.
 */
export function watchFiles(
  paths: readonly string[],
  changed: () => Promise<void>,
  failed: (cause: Error) => void,
  everyMs = LOOK_MS,
): { stop(): void } {
  let seen: string | undefined
  let told: string | undefined
  let busy = false
  const look = async () => {
    if (busy) return
    busy = true
    try {
      const mark = await markOf(paths)
      if (seen !== undefined && mark !== seen) await changed()
      seen = mark
      told = undefined
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      if (error.message !== told) failed(error)
      told = error.message
    } finally {
      busy = false
    }
  }
  void look()
  const timer = setInterval(look, everyMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
