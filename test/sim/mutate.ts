/** Breaks the source as it is loaded. */
import { readFileSync } from 'node:fs'
import type { Edit, Mutation } from './mutations.ts'

/** The source with the edits in it. @throws Error where an edit no longer fits: then it would break nothing */
function edited(source: string, edits: readonly Edit[], name: string): string {
  let text = source
  for (const { file, from, to } of edits) {
    const parts = text.split(from)
    if (parts.length !== 2)
      throw new Error(`the mutation '${name}' no longer fits: ${file} has ${parts.length - 1} times\n${from}`)
    text = parts.join(to)
  }
  return text
}

/** From here on whatever is imported is broken by this mutation. */
export function mutate({ name, edits }: Mutation): void {
  const files = new Map<string, Edit[]>()
  for (const edit of edits) files.set(edit.file, [...(files.get(edit.file) ?? []), edit])
  Bun.plugin({
    name: 'mutation',
    setup(build) {
      for (const [file, own] of files)
        build.onLoad({ filter: new RegExp(`/${file.replaceAll('.', '\\.')}$`) }, ({ path }) => ({
          contents: edited(readFileSync(path, 'utf8'), own, name),
          loader: 'ts',
        }))
    },
  })
}
