/** Words and patterns that an operator bans. LiteLLM's content filter is this one, too. */
import { z } from 'zod'
import { readListed } from '../file.ts'
import type { Finding } from '../guard.ts'
import { defineKind, versionOf } from '../kind.ts'
import { EVERYTHING, lookThrough, SAID } from '../look.ts'
import { scan as scanPii } from '../pii/scan.ts'
import { scan as scanSecrets } from '../secret/scan.ts'
import { Automaton } from '../text/aho.ts'
import { fold, unfold } from '../text/fold.ts'
import { MOST, Pattern, Patterns } from '../text/patterns.ts'
import { isOfScheme, PREBUILT, type Prebuilt } from './prebuilt.ts'

const MOST_WORDS = 10_000
const LONGEST_WORD = 200
const MOST_PATTERNS = 100

type Action = 'block' | 'redact'
type Found = Omit<Finding, 'piece'>
const action = z.enum(['BLOCK', 'MASK', 'block', 'redact']).optional()
const done = (said: z.output<typeof action>): Action | undefined =>
  said === undefined ? undefined : said.toLowerCase() === 'block' ? 'block' : 'redact'

const word = z.string().trim().min(1).max(LONGEST_WORD)
const blockedWord = z.strictObject({ keyword: word, action, description: z.string().nullish() })
const blockedFile = z.object({ blocked_words: z.array(blockedWord).max(MOST_WORDS) })
const settings = z
  .strictObject({
    words: z.array(word).max(MOST_WORDS).default([]).describe('Words and phrases that are banned, in any case.'),
    blocked_words: z
      .array(blockedWord)
      .max(MOST_WORDS)
      .default([])
      .describe('The same in LiteLLM’s form, with what becomes of each: `[{ keyword: Falcon, action: MASK }]`.'),
    whole_words: z
      .boolean()
      .default(true)
      .describe('Whether a word must stand for itself: `cat` is not in `concatenate`. Default: true.'),
    patterns: z
      .array(
        z.union([
          z.string().min(1).max(1_000),
          z.strictObject({
            pattern_type: z.enum(['prebuilt', 'regex']).optional(),
            pattern_name: z.string().optional(),
            pattern: z.string().min(1).max(1_000).nullish(),
            name: z.string().min(1).nullish(),
            action,
          }),
        ]),
      )
      .max(MOST_PATTERNS)
      .default([])
      .describe('Regular expressions of RE2, which are linear in the text; or LiteLLM’s prebuilt ones by name.'),
    pattern_redaction_format: z
      .string()
      .optional()
      .describe(
        'What replaces what a pattern found; `{pattern_name}` is its name. As LiteLLM: `[{pattern_name}_REDACTED]`.',
      ),
    keyword_redaction_tag: z
      .string()
      .optional()
      .describe('What replaces a blocked word. As LiteLLM: `[KEYWORD_REDACTED]`.'),
    tool_definitions: z
      .boolean()
      .default(false)
      .describe('Whether definitions of tools are looked at, too. Default: false.'),
    blocked_words_file: z
      .string()
      .min(1)
      .optional()
      .describe('A YAML file that has more `blocked_words`. Read when the gateway starts or reloads.'),
    categories: z
      .undefined({
        error:
          'LiteLLM’s lists of harmful words are not ours: use a guardrail of kind `model`, `openai_moderation` or `azure/text_moderations`.',
      })
      .optional(),
  })
  .refine(
    (said) =>
      Boolean(said.blocked_words_file) || said.words.length + said.blocked_words.length + said.patterns.length > 0,
    {
      message: 'nothing is banned: say `words`, `blocked_words`, `blocked_words_file` or `patterns`.',
    },
  )

/** What looks through one text. */
type Look = (text: string, tell: (found: Found) => void) => void

export const words = defineKind({
  kind: 'words',
  litellm: ['litellm_content_filter'],
  settings,
  make(read) {
    const said = withFile(read)
    const looks: Look[] = []
    const banned = [
      ...said.words.map((one) => ({ word: one, action: undefined, tag: said.keyword_redaction_tag })),
      ...said.blocked_words.map((one) => ({
        word: one.keyword,
        action: done(one.action),
        tag: said.keyword_redaction_tag ?? '[KEYWORD_REDACTED]',
      })),
    ]
    if (banned.length > 0) looks.push(wordsLook(banned, said.whole_words))
    const patterns: { pattern: Pattern; found: Partial<Found> & { what: string } }[] = []
    const scans: { prebuilt: Prebuilt; found: Partial<Found> & { what: string } }[] = []
    for (const one of said.patterns) {
      const shape = typeof one === 'string' ? { pattern: one } : one
      const name = shape.name ?? shape.pattern_name
      const isLiteLLM = shape.pattern_type !== undefined
      const format = said.pattern_redaction_format ?? (isLiteLLM ? '[{pattern_name}_REDACTED]' : undefined)
      const what = (name ?? 'PATTERN').toUpperCase().replace(/[^\p{L}\p{N}]+/gu, '_')
      const action = done(shape.action)
      const found = {
        what,
        ...(action ? { action } : {}),
        ...(format ? { replacement: format.replaceAll('{pattern_name}', what) } : {}),
      }
      if (shape.pattern_type === 'prebuilt') {
        const prebuilt = PREBUILT[shape.pattern_name ?? '']
        if (!prebuilt)
          throw new Error(
            `there is no prebuilt pattern \`${shape.pattern_name}\`; known: ${Object.keys(PREBUILT).join(', ')}.`,
          )
        scans.push({ prebuilt, found })
      } else if (shape.pattern) patterns.push({ pattern: new Pattern(shape.pattern), found })
      else throw new Error('a pattern needs `pattern`, or `pattern_type: prebuilt` and a `pattern_name`.')
    }
    if (patterns.length > 0) looks.push(patternsLook(patterns))
    if (scans.length > 0) looks.push(prebuiltLook(scans))
    return {
      kind: 'words',
      local: true,
      needsWhole: false,
      // Invisible characters may stand between those of a word.
      window: Math.max(said.patterns.length > 0 ? MOST : 0, ...banned.map(({ word }) => 4 * word.length + 64)),
      kinds: said.tool_definitions ? EVERYTHING : SAID,
      version: versionOf('words', 1, said),
      look: (subject) =>
        lookThrough(subject, (text, tell) => {
          for (const look of looks) look(text, tell)
        }),
    }
  },
})

const withFile = (said: z.output<typeof settings>): z.output<typeof settings> =>
  said.blocked_words_file === undefined
    ? said
    : {
        ...said,
        blocked_words: [
          ...said.blocked_words,
          ...readListed('blocked_words_file', said.blocked_words_file, blockedFile).blocked_words,
        ],
      }

function wordsLook(
  banned: readonly { word: string; action: Action | undefined; tag: string | undefined }[],
  whole: boolean,
): Look {
  const folded = banned.map(({ word }) => fold(word).text)
  const automaton = new Automaton(folded.map((one) => one || '\0'))
  return (text, tell) => {
    const shown = fold(text)
    automaton.scan(shown.text, ({ index, length }, end) => {
      const start = end - length
      if (whole && !(isEdge(shown.text, start - 1, start) && isEdge(shown.text, end, end - 1))) return
      const { action, tag } = banned[index] as (typeof banned)[number]
      tell({
        ...unfold(shown, start, end, text),
        what: 'BANNED_WORD',
        confidence: 1,
        ...(action ? { action } : {}),
        ...(tag === undefined ? {} : { replacement: tag }),
      })
    })
  }
}

/** Written without spaces between words: Thai, Lao, Chinese, Japanese, Korean. */
const UNSPACED = /[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/
const LETTER = /[\p{L}\p{N}]/u
/** Whether a word ends between these two. */
function isEdge(text: string, outside: number, inside: number): boolean {
  const within = text[inside] as string
  return !isLetter(text.charCodeAt(outside)) || !LETTER.test(within) || UNSPACED.test(within)
}
const isLetter = (code: number): boolean =>
  code < 128
    ? (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95
    : code >= 128 && LETTER.test(String.fromCharCode(code))

function patternsLook(all: readonly { pattern: Pattern; found: Partial<Found> & { what: string } }[]): Look {
  const together = new Patterns(all.map(({ pattern }) => pattern))
  return (text, tell) =>
    together.find(text, (i, start, end) =>
      tell({ start, end, confidence: 1, ...(all[i] as (typeof all)[number]).found }),
    )
}

function prebuiltLook(all: readonly { prebuilt: Prebuilt; found: Partial<Found> & { what: string } }[]): Look {
  const persons = all.filter(({ prebuilt }) => prebuilt.pii)
  const keys = all.filter(({ prebuilt }) => prebuilt.secret)
  return (text, tell) => {
    if (persons.length > 0)
      scanPii(text, (what, start, end, confidence) => {
        const one = persons.find(
          ({ prebuilt }) => prebuilt.pii?.includes(what) && isOfScheme(text.slice(start, end), prebuilt.scheme),
        )
        if (one && confidence >= 0.5) tell({ start, end, confidence, ...one.found })
      })
    if (keys.length > 0)
      scanSecrets(text, true, (what, start, end, confidence) => {
        const one = keys.find(({ prebuilt }) => prebuilt.secret?.includes(what))
        if (one) tell({ start, end, confidence, ...one.found })
      })
  }
}
