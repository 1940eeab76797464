/** Files that a kind's settings name: read once, when the guard is made. */
import { readFileSync, statSync } from 'node:fs'
import { parse } from 'yaml'
import type { z } from 'zod'

const MOST_BYTES = 4 * 1024 * 1024

/**
 * @param path from where the gateway was started, as LiteLLM has it
 * @param schema what stands in it: YAML, of which JSON is a part
 * @throws Error with a sentence for the operator
 */
export function readListed<S extends z.ZodType>(key: string, path: string, schema: S): z.output<S> {
  const wrong = (why: string): Error => new Error(`\`${key}\`: the file ${path} ${why}.`)
  let text: string
  try {
    if (statSync(path).size > MOST_BYTES) throw wrong(`has more than ${MOST_BYTES / 1024 / 1024} MB`)
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (!code) throw cause
    throw wrong(
      code === 'ENOENT'
        ? 'is not there; it is looked for from where the gateway was started'
        : `can't be read (${code})`,
    )
  }
  let value: unknown
  try {
    value = parse(text)
  } catch {
    throw wrong('is neither YAML nor JSON')
  }
  const read = schema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw wrong(`is not as it should be: ${issue?.path.length ? `\`${issue.path.join('.')}\`: ` : ''}${issue?.message}`)
}
