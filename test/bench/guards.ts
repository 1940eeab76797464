/** `bun run bench:guards`: what each guard of the process costs, µs for 4 kB of a letter and for 1 MB. */
import { GUARDS, HARD, micros, repeated, typical } from '../guardrails/loads.ts'
import { look } from '../guardrails/support.ts'

console.log('| guard | 4 kB, µs | 1 MB, ms | hardest 1 MB, ms | which |\n|---|---|---|---|---|')
for (const [name, make] of Object.entries(GUARDS)) {
  const one = make()
  const run = (text: string) => look(one, text)
  const [small, large] = [typical(4_096), typical(1_048_576)]
  micros(() => run(small), 5, 300)
  const few = micros(() => run(small), 20, 100)
  const many = micros(() => run(large), 3, 1) / 1_000
  const hard = Object.entries(HARD).map(([which, unit]) => {
    const text = repeated(unit, 1_048_576)
    return { which, ms: micros(() => run(text), 2, 1) / 1_000 }
  })
  const worst = hard.reduce((a, b) => (b.ms > a.ms ? b : a))
  console.log(`| ${name} | ${few.toFixed(1)} | ${many.toFixed(1)} | ${worst.ms.toFixed(0)} | ${worst.which} |`)
}
