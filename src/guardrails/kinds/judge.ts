/** LiteLLM's `llm_as_a_judge`: a model gives marks by criteria with weights, and too low a mark flags. */
import { z } from 'zod'
import { GuardError } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { PASSED, SAID } from '../look.ts'
import { documentsOf } from '../remote/parts.ts'
import { WINDOW } from '../remote/settings.ts'
import { asked, fenced } from './model.ts'

const MOST = 100_000

const settings = z.strictObject({
  judge_model: z.string().min(1).describe('An alias of this gateway.'),
  criteria: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        weight: z.number().positive().default(1),
        description: z.string().min(1).nullish(),
      }),
    )
    .min(1)
    .max(50)
    .describe('What is judged: names, weights and descriptions.'),
  overall_threshold: z
    .number()
    .min(0)
    .max(100)
    .default(80)
    .describe('Below which mark of 100 it is flagged. Default: 80.'),
})

export const judge = defineKind({
  kind: 'llm_as_a_judge',
  litellm: ['llm_as_a_judge'],
  settings,
  make: (said, tools) => ({
    kind: 'llm_as_a_judge',
    local: false,
    needsWhole: true,
    window: WINDOW,
    kinds: SAID,
    version: versionOf('llm_as_a_judge', 1, said),
    async look(subject, signal) {
      const [text, ...more] = documentsOf(subject.pieces, MOST)
      if (text === undefined) return PASSED
      if (more.length > 0)
        throw new GuardError('refused', `the text is longer than the ${MOST} characters that a judge is shown.`, false)
      const answer = await asked(tools, said.judge_model, fenced(promptOf(said), text), signal)
      const marks = marksIn(answer)
      let [sum, weights] = [0, 0]
      const low: string[] = []
      for (const { name, weight } of said.criteria) {
        const mark = marks[name]
        if (mark === undefined) throw new GuardError('bad_reply', `the judge gave no mark for \`${name}\`.`, true)
        sum += mark * weight
        weights += weight
        if (mark < said.overall_threshold) low.push(name)
      }
      const mark = sum / weights
      const flagged = mark < said.overall_threshold
      return { flagged, categories: flagged ? low : [], confidence: 1 - mark / 100, findings: [] }
    },
  }),
})

const promptOf = ({ criteria }: z.output<typeof settings>): string =>
  [
    'You judge a text by these criteria, each with a mark from 0 (fails) to 100 (meets it fully):',
    ...criteria.map(({ name, description }) => `- ${name}${description ? `: ${description}` : ''}`),
    `Answer with one JSON object and nothing else: {${criteria.map(({ name }) => `${JSON.stringify(name)}: MARK`).join(', ')}}`,
  ].join('\n')

function marksIn(answer: string): Readonly<Record<string, number>> {
  const [from, to] = [answer.indexOf('{'), answer.lastIndexOf('}')]
  try {
    return z.record(z.string(), z.number().min(0).max(100)).parse(JSON.parse(answer.slice(from, to + 1)))
  } catch {
    throw new GuardError('bad_reply', 'the judge gave no marks.', true)
  }
}
