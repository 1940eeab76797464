/**
 * `bun run corpus [--write] [--faults]`: precision and recall of the guards of the process on the corpus.
 * `--write` puts them into docs/guardrails-corpus.md, whose figures a test holds.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FILES, measure } from './measure.ts'
import { report } from './report.ts'

const DOC = join(import.meta.dir, '../../../docs/guardrails-corpus.md')
const measured = FILES.map(measure)
const text = report(measured)
if (process.argv.includes('--write')) {
  const [before] = readFileSync(DOC, 'utf8').split('<!-- measured -->')
  writeFileSync(DOC, `${before}<!-- measured -->\n${text}`)
} else console.log(text)
if (process.argv.includes('--faults'))
  for (const { file, faults } of measured) for (const one of faults) console.log(`${file}: ${one}`)
