/** Keys, tokens and passwords: found in the process, by their makers' marks or by the name beside them. */
import { z } from 'zod'
import { defineKind, versionOf } from '../kind.ts'
import { lookThrough, SAID } from '../look.ts'
import { scan } from '../secret/scan.ts'

/** Longer than all but a block of a private key, which reaches to a part's end until its own is there. */
const WINDOW = 1_024

const settings = z.strictObject({
  named: z
    .boolean()
    .default(true)
    .describe('Also what has no mark of its own, by the name beside it: `password = …`. Default: true.'),
  ignore: z
    .array(z.string().min(1))
    .default([])
    .describe('What is not looked for, by the names in docs/guardrails-kinds.md: `[JWT, PASSWORD]`.'),
  allow: z.array(z.string().min(1)).default([]).describe('Texts that are no secrets: keys in examples.'),
})

export const secrets = defineKind({
  kind: 'secrets',
  litellm: ['hide-secrets'],
  settings,
  make(read) {
    const ignored = new Set(read.ignore.map((one) => one.toUpperCase()))
    const allowed = new Set(read.allow)
    return {
      kind: 'secrets',
      local: true,
      needsWhole: false,
      window: WINDOW,
      kinds: SAID,
      version: versionOf('secrets', 2, read),
      look: (subject) =>
        lookThrough(subject, (text, tell) =>
          scan(text, read.named, (what, start, end, confidence) => {
            if (ignored.has(what) || (allowed.size > 0 && allowed.has(text.slice(start, end)))) return
            tell({ start, end, what, confidence })
          }),
        ),
    }
  },
})
