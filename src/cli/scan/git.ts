/**
 * Looks through all of a repository's history: each version of each file that a branch, a tag, the stash or the reflog
 * leads to, and what was written about each commit. Each object is read once, as it comes.
 */
import { Trouble } from '../terminal.ts'
import { Finder } from './finder.ts'
import type { Findings } from './findings.ts'

/** Objects whose commit is looked up. */
const MOST_COMMITS = 500

/** @returns objects that were read @throws Trouble where there is no repository, or no git */
export async function scanHistory(root: string, findings: Findings): Promise<number> {
  const list = git(root, ['rev-list', '--objects', '--all', '--reflog'])
  const format = '--batch=%(objectname) %(objecttype) %(objectsize) %(rest)'
  const contents = git(root, ['cat-file', format, '--buffer'], list.stdout)
  const commits = new Map<string, string>()
  let read = 0
  let object: { name: string; place: string; left: number; finder: Finder | undefined } | undefined
  let header = ''

  const begin = (line: string) => {
    const [name = '', type = '', size = '0', ...rest] = line.split(' ')
    const path = rest.join(' ')
    const place = type === 'blob' ? path : `${type} ${name.slice(0, 12)}`
    // Trees are names of files.
    const isRead = type === 'blob' || type === 'commit' || type === 'tag'
    const hits = (hit: Parameters<Findings['add']>[0]) => {
      findings.add(hit, type === 'blob' ? `${BLOB}${name}:${place}:${hit.line}` : `${place}:${hit.line}`)
      if (type === 'blob' && commits.size < MOST_COMMITS) commits.set(name, '')
    }
    object = { name, place, left: Number(size), finder: isRead ? new Finder(hits) : undefined }
    if (isRead) read++
  }

  for await (const chunk of contents.stdout) {
    for (let at = 0; at < chunk.byteLength; ) {
      if (!object) {
        const end = chunk.indexOf(NEWLINE, at)
        header += Buffer.from(chunk.subarray(at, end < 0 ? undefined : end)).toString('utf8')
        at = end < 0 ? chunk.byteLength : end + 1
        if (end < 0) continue
        begin(header)
        header = ''
        continue
      }
      const part = chunk.subarray(at, at + object.left)
      object.finder?.push(part)
      object.left -= part.byteLength
      at += part.byteLength
      // Behind each object stands a newline.
      if (object.left > 0 || at >= chunk.byteLength) continue
      object.finder?.end()
      object = undefined
      at++
    }
  }
  const [listed, told] = [await list.exited, await contents.exited]
  if (listed !== 0 || told !== 0) {
    const why = (await new Response(listed !== 0 ? list.stderr : contents.stderr).text()).trim().split('\n')[0]
    throw new Trouble(`git can't read the history of ${root}: ${why || 'it ended with an error'}.`)
  }
  for (const name of commits.keys()) commits.set(name, await firstCommit(root, name))
  for (const finding of findings.all)
    finding.places = finding.places.map((place) => {
      if (!place.startsWith(BLOB)) return place
      const [name = '', ...rest] = place.slice(BLOB.length).split(':')
      const commit = commits.get(name)
      return `${commit ? `${commit} ` : ''}${rest.join(':')}`
    })
  return read
}

const NEWLINE = 0x0a
/** Until its commit is known a place is that of an object. */
const BLOB = '\0'

function git(root: string, args: string[], stdin?: ReadableStream<Uint8Array>) {
  try {
    return Bun.spawn(['git', '-C', root, ...args], { stdin: stdin ?? 'ignore', stdout: 'pipe', stderr: 'pipe' })
  } catch {
    throw new Trouble('git is not here: it is needed to read a history.')
  }
}

/** The commit that brought an object in, shortened; '' where git finds none. */
async function firstCommit(root: string, name: string): Promise<string> {
  const log = git(root, ['log', '--all', '--reflog', '--format=%h', `--find-object=${name}`])
  const lines = (await new Response(log.stdout).text()).trim().split('\n')
  await log.exited
  return lines.at(-1) ?? ''
}
