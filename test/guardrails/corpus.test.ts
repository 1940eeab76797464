/** The corpus: the printed figures are those of the code, and they do not fall. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FORMATS } from '../../src/secrets/formats.ts'
import { FILES, measure, precision, recall } from './corpus/measure.ts'
import { report } from './corpus/report.ts'

const DOC = join(import.meta.dir, '../../docs/guardrails-corpus.md')
const measured = FILES.map(measure)

test('the figures in docs/guardrails-corpus.md are those of the code (`bun run corpus --write`)', () => {
  expect(readFileSync(DOC, 'utf8').split('<!-- measured -->\n')[1]).toBe(report(measured))
})

/** Precision and recall at least, of texts beside which the guards were written and of those held out. */
const LEAST = { pii: [0.97, 0.97], secrets: [0.97, 0.97], injection: [0.95, 0.95] } as const

test.each(Object.entries(LEAST))('%s', (kind, [exact, whole]) => {
  const of = kind as keyof typeof LEAST
  for (const files of [
    measured.filter(({ file }) => file !== 'held-out'),
    measured.filter(({ file }) => file === 'held-out'),
  ]) {
    const sum = { texts: 0, right: 0, wrong: 0, missed: 0 }
    for (const { all } of files) {
      const count = all.get(of)
      if (count) for (const key of ['texts', 'right', 'wrong', 'missed'] as const) sum[key] += count[key]
    }
    expect(sum.texts).toBeGreaterThan(30)
    expect(precision(sum)).toBeGreaterThanOrEqual(exact)
    expect(recall(sum)).toBeGreaterThanOrEqual(whole)
  }
})

test('nothing in the corpus is a secret itself', () => {
  const text = FILES.map((file) => readFileSync(join(import.meta.dir, `corpus/${file}.jsonl`), 'utf8')).join('\n')
  for (const { kind, source } of FORMATS) {
    if (kind === 'private key' || kind === 'sk-') continue
    expect(`${kind}: ${new RegExp(`(?<![A-Za-z0-9_])(?:${source})(?![A-Za-z0-9_])`).exec(text)?.[0] ?? 'none'}`).toBe(
      `${kind}: none`,
    )
  }
})
