/** The reference is whole, and what is written in the repository is what the schema says. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { parse } from 'yaml'
import { laterKeys, refusedKeys } from '../../src/config/known.ts'
import { generatedFiles } from '../../src/config/reference.ts'
import { type JsonSchema, jsonSchema, keysAt } from '../../src/config/schema-json.ts'
import { right, told } from './providers.ts'

const ROOT = join(import.meta.dir, '../..')
const files = generatedFiles()
const page = files['docs/reference/configuration.md'] ?? ''

describe('what is written is not stale (`bun src/config/generate.ts` writes it again)', () => {
  for (const [path, text] of Object.entries(files))
    test(path, async () => expect((await Bun.file(join(ROOT, path)).text()) === text).toBe(true))
})

/** Every key of the schema with its path. */
function everyKey(schema: JsonSchema, path: string[] = []): [string, JsonSchema][] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]): [string, JsonSchema][] => [
    [[...path, key].join('.'), value],
    ...everyKey(value, [...path, key]),
  ])
  return [
    ...own,
    ...(schema.items ? everyKey(schema.items, path) : []),
    ...(schema.anyOf ?? []).flatMap((s) => everyKey(s, path)),
  ]
}

const keys = everyKey(jsonSchema())

test('there are many keys, and each says what it means', () => {
  expect(keys.length).toBeGreaterThan(90)
  for (const [path, schema] of keys)
    expect([path, (schema.description ?? '').length > 10, schema.description?.endsWith('.')]).toEqual([
      path,
      true,
      true,
    ])
})

test('every key stands in the reference, under its section', () => {
  for (const [path] of keys) {
    const [section = '', ...rest] = path.split('.')
    const part =
      page
        .slice(page.indexOf(`\n## ${section}\n`))
        .slice(1)
        .split('\n## ')[0] ?? ''
    const key = rest.at(-1)
    expect([
      path,
      part.includes(key === undefined ? `# ${section}` : `\`${key}\``) || part.includes(`.${key}\n`),
    ]).toEqual([path, true])
  }
})

test('every key stands in the example, and the example loads without a word', () => {
  const example = files['tollgate.example.yaml'] ?? ''
  for (const [path] of keys)
    expect([
      path,
      new RegExp(`\\b${path.split('.').at(-1)}\\b`).test(example) || path.includes('model_group_alias'),
    ]).toEqual([path, true])
  expect(told(example)).toEqual([])
  expect(right(example).config.models).toHaveLength(2)
})

test('each section of the example can be switched on as it stands', () => {
  const lines = (files['tollgate.example.yaml'] ?? '').split('\n')
  const settings = lines.slice(lines.indexOf('# general_settings:'))
  // A section's heading is a comment of its own; its body is YAML behind `# `.
  const on = settings.map((line) => (/^# (\s|[a-z_]+:$)/.test(line) ? line.slice(2) : line)).join('\n')
  const models =
    'model_list: [{ model_name: my-model, litellm_params: { model: ollama/x } }, { model_name: another-model, litellm_params: { model: ollama/y } }]\n'
  const said = told(models + on, { LITELLM_MASTER_KEY: 'sk-long-enough' })
  expect(said.filter((line) => line.startsWith('E'))).toEqual([])
  for (const section of ['general_settings', 'litellm_settings', 'router_settings', 'tollgate'])
    expect(Object.keys(parse(on)[section])).toEqual(keysAt([section]))
})

test('what is built is not listed as unbuilt', () => {
  const built: Record<string, string[]> = {
    top: keysAt([]),
    litellm_params: keysAt(['model_list', 0, 'litellm_params']),
    model_info: keysAt(['model_list', 0, 'model_info']),
    litellm_settings: keysAt(['litellm_settings']),
    router_settings: keysAt(['router_settings']),
    general_settings: keysAt(['general_settings']),
  }
  for (const [section, listed] of [...laterKeys(), ...refusedKeys()])
    for (const key of listed) expect([section, key, built[section]?.includes(key)]).toEqual([section, key, false])
})

test('each unbuilt key is warned of where it stands, and each unsafe one is refused', () => {
  const file = (section: string, key: string) => {
    if (section === 'top') return `${key}: []`
    if (section === 'litellm_params')
      return `model_list: [{ model_name: a, litellm_params: { model: ollama/x, ${key}: 1 } }]`
    if (section === 'model_info')
      return `model_list: [{ model_name: a, litellm_params: { model: ollama/x }, model_info: { ${key}: 1 } }]`
    return `${section}: { ${key}: 1 }`
  }
  for (const [kind, sections] of [
    ['W', laterKeys()],
    ['E', refusedKeys()],
  ] as const)
    for (const [section, listed] of sections)
      for (const key of listed.filter((_, i) => kind === 'E' || i % 5 === 0)) {
        const said = told(file(section, key))
        expect([key, said.length, said[0]?.[0]]).toEqual([key, 1, kind])
        expect(said[0]).toMatch(
          new RegExp(
            `\`${key}\` is (known from LiteLLM and not built yet|a place of LiteLLM’s that has another one here)`,
          ),
        )
      }
})

test('the schema for editors takes variables where a number stands', () => {
  const schema = JSON.parse(files['docs/reference/tollgate.schema.json'] ?? '')
  expect(schema.properties.litellm_settings.properties.max_budget.anyOf).toHaveLength(2)
  expect(schema.properties.litellm_settings.additionalProperties).toBe(false)
})
