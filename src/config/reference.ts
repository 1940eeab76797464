/** The reference page and the files for editors, written from the schema. `generate.ts` puts them in their places. */
import { exampleYaml } from './example.ts'
import { laterKeys, refusedKeys } from './known.ts'
import { ENDINGS, PRICE_KEYS } from './price.ts'
import { type JsonSchema, jsonSchema, typeName } from './schema-json.ts'

/** Path from the root of the checkout → text. */
export function generatedFiles(): Record<string, string> {
  return {
    'docs/reference/configuration.md': referencePage(),
    'docs/reference/tollgate.schema.json': `${JSON.stringify(schemaFile(), null, 2)}\n`,
    'tollgate.example.yaml': exampleFile(),
  }
}

/** For editors, values may also be `os.environ/NAME` or hold `${NAME}`, whatever their kind. */
function schemaFile(): JsonSchema {
  return { $id: 'tollgate.schema.json', title: 'Tollgate', ...withVariables(shortened(structuredClone(jsonSchema()))) }
}

/** Words that only add to another one are a pattern: by themselves they would be two thirds of the file. */
function shortened(schema: JsonSchema): JsonSchema {
  const parts = schema.properties?.model_list?.items?.properties ?? {}
  for (const part of [parts.litellm_params, parts.model_info]) {
    if (!part?.properties) continue
    for (const longer of [...ENDINGS.values()].flat()) delete part.properties[longer]
    part.patternProperties = {
      [`^(${[...ENDINGS.keys()].join('|')})(_above_[0-9]+k_tokens)?(_(priority|flex|batches|balanced|ultrafast))?$`]: {
        type: ['number', 'string'],
        description: 'Another price of the word that it begins with: for long prompts, or in another service.',
      },
    }
  }
  return schema
}

function withVariables(schema: JsonSchema): JsonSchema {
  const out: JsonSchema = { ...schema }
  if (schema.properties)
    out.properties = Object.fromEntries(Object.entries(schema.properties).map(([k, v]) => [k, withVariables(v)]))
  if (schema.items) out.items = withVariables(schema.items)
  if (schema.type !== 'number' && schema.type !== 'integer' && schema.type !== 'boolean') return out
  const { description, default: usual, ...kind } = out
  const variable: JsonSchema = { type: 'string', pattern: '^os\\.environ/|\\$\\{' }
  return {
    ...(description === undefined ? {} : { description }),
    ...(usual === undefined ? {} : { default: usual }),
    anyOf: [kind, variable],
  }
}

export function referencePage(): string {
  const sections = jsonSchema().properties ?? {}
  const out = [
    '# Configuration',
    '',
    '<!-- Written by `bun src/config/generate.ts` from the schema. Change the schema, not this page. -->',
    '',
    INTRO,
  ]
  for (const [name, section] of Object.entries(sections)) {
    out.push('', `## ${name}`, '', section.description ?? '')
    if (name === 'model_list') {
      const entry = section.items?.properties ?? {}
      out.push('', ...table(entry, (_, schema) => !schema.properties))
      for (const [part, { properties, description = '' }] of Object.entries(entry)) {
        if (!properties) continue
        const own = table(properties, (key) => !PRICE_KEYS.includes(key))
        out.push('', `### model_list[].${part}`, '', description, '', ...own)
      }
      out.push('', '### model_list[]: prices', '', PRICES, '', ...prices(entry.litellm_params?.properties ?? {}))
      continue
    }
    out.push(...parts(name, section))
  }
  out.push('', '## Known from LiteLLM, refused', '', REFUSED, '', ...list(refusedKeys()))
  out.push('', '## Known from LiteLLM, without effect', '', LATER, '', ...list(laterKeys()))
  return `${out.join('\n')}\n`
}

/** The words of prices, and under them those that only add to one of them. */
function prices(properties: Record<string, JsonSchema>): string[] {
  const longer = new Set([...ENDINGS.values()].flat())
  return [
    ...table(properties, (key) => PRICE_KEYS.includes(key) && !longer.has(key)),
    '',
    LONGER,
    '',
    ...[...ENDINGS].map(([word, words]) => `- ${word}: ${words.map((one) => `\`${one}\``).join(', ')}`),
  ]
}

/** The keys of a map, and then those of the maps in it. */
function parts(name: string, { properties, items }: JsonSchema): string[] {
  // A section that is a list of maps.
  if (items?.properties) {
    const own = table(items.properties, (_, schema) => !schema.properties)
    return ['', ...own, ...partsOfEach(`${name}[]`, items.properties)]
  }
  if (!properties) return []
  const plain = Object.values(properties).some((schema) => !schema.properties)
  return [
    ...(plain ? ['', ...table(properties, (_, schema) => !schema.properties)] : []),
    ...Object.entries(properties).flatMap(([key, schema]) =>
      schema.properties
        ? ['', `### ${name}.${key}`, '', schema.description ?? '', ...parts(`${name}.${key}`, schema)]
        : eachOf(`${name}.${key}`, schema),
    ),
  ]
}

/** What stands in each element of a list; and of the machines, which no other table tells. */
function eachOf(path: string, { items, additionalProperties }: JsonSchema): string[] {
  const each = path === 'tollgate.backends' && typeof additionalProperties === 'object' ? additionalProperties : items
  if (!each?.properties) return []
  const name = `${path}${each === items ? '[]' : '.*'}`
  return ['', `### ${name}`, '', ...table(each.properties), ...partsOfEach(name, each.properties)]
}

/** What stands in the maps of an element; what they are told of once more, within `all` and `any`, is the same. */
function partsOfEach(name: string, properties: Record<string, JsonSchema>): string[] {
  return Object.entries(properties).flatMap(([key, schema]) =>
    schema.properties
      ? ['', `### ${name}.${key}`, '', schema.description ?? '', ...parts(`${name}.${key}`, schema)]
      : [],
  )
}

function table(properties: Record<string, JsonSchema>, keep = (_key: string, _schema: JsonSchema) => true): string[] {
  const rows = Object.entries(properties).filter(([key, schema]) => keep(key, schema))
  return [
    '| key | value | meaning |',
    '|---|---|---|',
    ...rows.map(
      ([key, schema]) => `| \`${key}\` | ${cell(typeName(schema) + range(schema))} | ${cell(meaning(schema))} |`,
    ),
  ]
}

function meaning(schema: JsonSchema): string {
  const said = schema.description ?? ''
  const usual = schema.default
  if (usual === undefined || typeof usual === 'object' || said.includes('Default:')) return said
  return `${said} Default: \`${usual}\`.`
}

function range({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const most = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  const least = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined
  const from =
    least === undefined
      ? typeof exclusiveMinimum === 'number'
        ? `more than ${exclusiveMinimum}`
        : ''
      : `from ${least}`
  const parts = [from, most === undefined ? '' : `up to ${most}`].filter(Boolean)
  return parts.length > 0 ? `, ${parts.join(', ')}` : ''
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

const list = (sections: readonly [string, string[]][]): string[] =>
  sections.flatMap(([section, keys]) =>
    keys.length === 0
      ? []
      : [`- ${section === 'top' ? 'at the top' : `\`${section}\``}: ${keys.map((key) => `\`${key}\``).join(', ')}`],
  )

function exampleFile(): string {
  return exampleYaml({
    schema: './docs/reference/tollgate.schema.json',
    head: [
      'Tollgate: an example with every setting. Copy it to tollgate.yaml, or let `tollgate init` write one for what you have.',
      `Variables: \`os.environ/NAME\` as a whole value, \`\${NAME}\` or \`\${NAME:-default}\` inside one.`,
      'Written by `bun src/config/generate.ts` from the schema.',
    ],
    models: [
      { model_name: 'my-model', litellm_params: { model: 'ollama/mistral', api_base: 'http://127.0.0.1:11434' } },
      { model_name: 'another-model', litellm_params: { model: 'ollama/llama3.2', rpm: 60, weight: 2 } },
    ],
  })
}

const INTRO = [
  'Tollgate reads `tollgate.yaml` in the working directory, or the file that `--config` or `TOLLGATE_CONFIG` names.',
  "It is written in LiteLLM's words. Without a file, Tollgate finds Ollama and the usual key variables by itself.",
  '`tollgate check` tells what is wrong with a file: every error at once, with its line and the nearest right word.',
  '',
  `A value that is \`os.environ/NAME\` is the environment variable NAME; \`\${NAME}\` and \`\${NAME:-default}\` stand for one`,
  'inside any text, and `$${` is a plain `${`. A variable that is missing or empty is an error, unless a default is given.',
  'Where a number or true or false is expected, the text of a variable is read as one.',
  '',
  'A key that nobody knows is an error. Keys that LiteLLM knows and that are not built yet are listed at the end: most',
  'are warned of, some are refused. `num_retries`, `allowed_fails`, `fallbacks` and `default_fallbacks` may stand in',
  "`litellm_settings` or in `router_settings`; the router's value wins.",
  '',
  'For editors there is [tollgate.schema.json](tollgate.schema.json).',
].join('\n')

const PRICES = [
  'Any of these may stand in `litellm_params` or in `model_info`; the former win. What is not said comes from the price',
  'list. How they work together is in [prices.md](../prices.md).',
].join('\n')

const LONGER = [
  'Each of these says another price of the word before it, in US dollars a token: `above_…k_tokens` for the whole',
  'request where its prompt is longer, the others where it is served so (`batches`: by the batch API).',
].join('\n')

const REFUSED = [
  'Tollgate does not start with one of these: without it, somebody could come in, something could pass, or money could',
  'be spent that you meant to stop.',
].join('\n')

const LATER = 'Each of these is warned of at the start.'
