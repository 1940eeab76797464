/** Files that guards' settings name, as LiteLLM's do; and several patterns, which are looked for at once. */
import { afterAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pattern, Patterns } from '../../src/guardrails/text/patterns.ts'
import { seeded } from '../support/seeded.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'
import { found, guard, look, lookLater, tools } from './support.ts'

const folder = makeTemp('guard-files')
afterAll(() => removeTemp(folder))
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('blocked_words_file: words of a YAML file stand beside those of the settings', () => {
  const path = file('words.yaml', 'blocked_words:\n  - keyword: Falcon\n    action: MASK\n    description: a project\n')
  const said = look(guard('words', { words: ['eagle'], blocked_words_file: path }), 'the Falcon and the eagle')
  expect(said.findings.map(({ action, replacement }) => [action, replacement])).toEqual([
    ['redact', '[KEYWORD_REDACTED]'],
    [undefined, undefined],
  ])
  expect(look(guard('words', { blocked_words_file: path }), 'falcon').flagged).toBe(true)
})

test('what is wrong with a file is told with its name', () => {
  const made = (path: string) => () => guard('words', { blocked_words_file: path })
  expect(made(join(folder, 'none.yaml'))).toThrow('none.yaml is not there')
  expect(made(file('odd.yaml', 'blocked_words: [{ word: a }]'))).toThrow('`blocked_words.0.keyword`')
  expect(made(file('broken.yaml', '{ a: ['))).toThrow('is neither YAML nor JSON')
})

test('presidio_ad_hoc_recognizers: a JSON file goes along as a list does', async () => {
  const list = [
    {
      name: 'Zip',
      supported_language: 'en',
      supported_entity: 'ZIP',
      patterns: [{ name: 'z', regex: '\\d{5}', score: 0.5 }],
    },
  ]
  const sent: unknown[] = []
  const asks = tools({
    fetch: async (_, { body }) => {
      sent.push(JSON.parse(String(body)))
      return Response.json([])
    },
  })
  const presidio_analyzer_api_base = 'http://127.0.0.1:5002'
  const path = file('adhoc.json', JSON.stringify(list))
  for (const presidio_ad_hoc_recognizers of [path, list])
    await lookLater(guard('presidio', { presidio_analyzer_api_base, presidio_ad_hoc_recognizers }, asks), ['12345'])
  expect(sent).toHaveLength(2)
  expect(sent[0]).toMatchObject({ ad_hoc_recognizers: list })
  expect(sent[0]).toEqual(sent[1])
})

test('several patterns at once find what each finds alone, wherever stretches meet', () => {
  const sources = ['ab+c', '\\bfox\\b', '(?i)x{3,5}', 'start.{0,900}stop', 'z$']
  const random = seeded(3)
  const words = ['abbbc ', 'fox ', 'foxes ', 'XxX ', 'start ', 'stop ', 'z', 'a ', 'nothing much here ']
  for (let round = 0; round < 6; round++) {
    let text = ''
    while (text.length < 60_000)
      text +=
        random() < 0.2 ? words[Math.floor(random() * words.length)] : 'lorem ipsum '.repeat(Math.ceil(random() * 30))
    const alone = sources.flatMap((source, i) => {
      const places: number[][] = []
      new Pattern(source).find(text, (start, end) => places.push([i, start, end]))
      return places
    })
    const together: number[][] = []
    new Patterns(sources.map((source) => new Pattern(source))).find(text, (i, start, end) =>
      together.push([i, start, end]),
    )
    // What ends a stretch is not the text's end, whichever way it was cut.
    const sorted = (all: number[][]) =>
      all
        .filter(([i]) => i !== 4)
        .map(String)
        .sort()
    expect(sorted(together)).toEqual(sorted(alone))
    expect(together.length).toBeGreaterThan(5)
  }
})

test('names of groups that two patterns have are no matter', () => {
  const one = guard('words', { patterns: ['(?P<n>a)1', '(?P<n>b)2'] })
  expect(found(look(one, 'a1 b2'), 'a1 b2').map(([, text]) => text)).toEqual(['a1', 'b2'])
})
