import { readFile } from 'node:fs/promises'
import { SourceError } from './source.ts'

/** The text of a file, without the line break that editors put at its end. @throws SourceError */
export async function readSecretFile(path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new SourceError(`${path} can't be read (${(cause as { code?: string }).code ?? 'unknown'})`)
  }
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw new SourceError(`${path} is empty`)
  return value
}
