/** `bun src/config/generate.ts`: writes the files that come from the schema. A test tells when they are stale. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { generatedFiles } from './reference.ts'

const ROOT = join(import.meta.dir, '../..')

for (const [path, text] of Object.entries(generatedFiles())) {
  await mkdir(dirname(join(ROOT, path)), { recursive: true })
  await writeFile(join(ROOT, path), text)
}
