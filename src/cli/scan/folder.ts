/** Looks through the files of a folder, or through one file, as they are now. */
import { lstat, opendir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Trouble } from '../terminal.ts'
import { Finder } from './finder.ts'
import type { Findings } from './findings.ts'

/** Git's own files hold what is in its history, packed: `--git` looks there. Others' packages are others' affair. */
const PASSED_BY = new Set(['.git', 'node_modules'])

/** @returns files that were read, and those that could not be */
export async function scanFolder(root: string, findings: Findings): Promise<{ read: number; unread: string[] }> {
  const told = { read: 0, unread: [] as string[] }
  const one = async (path: string) => {
    const place = relative(root, path) || path
    const finder = new Finder((hit) => findings.add(hit, `${place}:${hit.line}`))
    try {
      for await (const bytes of Bun.file(path).stream()) finder.push(bytes)
      finder.end()
      told.read++
    } catch {
      told.unread.push(place)
    }
  }
  const walk = async (folder: string): Promise<void> => {
    let entries: Awaited<ReturnType<typeof opendir>>
    try {
      entries = await opendir(folder)
    } catch {
      told.unread.push(relative(root, folder) || folder)
      return
    }
    for await (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isFile()) await one(path)
      // Links lead out of the folder, or in a circle.
      else if (entry.isDirectory() && !PASSED_BY.has(entry.name)) await walk(path)
    }
  }
  const stat = await lstat(root).catch(() => undefined)
  if (!stat) throw new Trouble(`there is no file or folder ${root}.`)
  await (stat.isDirectory() ? walk(root) : one(root))
  return told
}
