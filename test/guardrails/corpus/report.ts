/** The figures of the corpus as tables. */
import { type Measured, precision, recall } from './measure.ts'

const share = (value: number | undefined): string => (value === undefined ? '–' : `${(100 * value).toFixed(1)} %`)

type Counted = Measured['by'] extends Map<string, infer C> ? C : never
const row = (name: string, count: Counted): string =>
  `| ${name} | ${count.texts} | ${count.right} | ${count.wrong} | ${count.missed} | ${share(precision(count))} | ${share(recall(count))} |`

/** Attacks are told apart from benign texts: how many of those are flagged counts against precision of all. */
function totals(all: readonly Measured[]): Map<string, Counted> {
  const sums = new Map<string, Counted>()
  for (const { all: counts } of all)
    for (const [of, count] of counts) {
      const sum = sums.get(of) ?? { texts: 0, right: 0, wrong: 0, missed: 0 }
      for (const key of ['texts', 'right', 'wrong', 'missed'] as const) sum[key] += count[key]
      sums.set(of, sum)
    }
  return sums
}

export function report(all: readonly Measured[]): string {
  const head = ['| | texts | found | found wrongly | missed | precision | recall |', '|---|---|---|---|---|---|---|']
  const parts = [
    { title: 'Texts beside which the guards were written', files: all.filter(({ file }) => file !== 'held-out') },
    { title: 'Texts held out', files: all.filter(({ file }) => file === 'held-out') },
  ]
  return parts
    .flatMap(({ title, files }) => {
      const by = new Map(files.flatMap((one) => [...one.by]))
      return [
        `\n## ${title}\n`,
        ...head,
        ...[...totals(files)].map(([name, count]) => row(`**${name}**`, count)),
        ...[...by].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => row(name, count)),
      ]
    })
    .join('\n')
    .concat('\n')
}
