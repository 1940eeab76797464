/** `bun run bench:guards`: what each guard of the process costs, µs for 4 kB of usual texts, ms for 1 MB of a letter and of what is hard. */
import { GUARDS, HARD, micros, repeated, shownTo, typical, USUAL } from '../guardrails/loads.ts'
import { look } from '../guardrails/support.ts'

const usual = Object.keys(USUAL)
console.log(
  `| guard | ${usual.map((name) => `4 kB of ${name}, µs`).join(' | ')} | 1 MB, ms | hardest 1 MB, ms | which |`,
)
console.log(`|---|${usual.map(() => '---|').join('')}---|---|---|`)
for (const [name, make] of Object.entries(GUARDS)) {
  const one = make()
  const run = (text: string) => look(one, text, shownTo(name))
  const few = Object.values(USUAL).map((unit) => {
    const text = repeated(unit, 4_096)
    micros(() => run(text), 5, 300)
    return micros(() => run(text), 20, 100).toFixed(1)
  })
  const large = typical(1_048_576)
  const many = micros(() => run(large), 3, 1) / 1_000
  const hard = Object.entries(HARD).map(([which, unit]) => {
    const text = repeated(unit, 1_048_576)
    return { which, ms: micros(() => run(text), 2, 1) / 1_000 }
  })
  const worst = hard.reduce((a, b) => (b.ms > a.ms ? b : a))
  console.log(`| ${name} | ${few.join(' | ')} | ${many.toFixed(1)} | ${worst.ms.toFixed(0)} | ${worst.which} |`)
}
