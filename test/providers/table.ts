/** The table of all providers in docs/providers.md, made of the list itself. `bun test/providers/table.ts` writes it. */
import { join } from 'node:path'
import { rows } from '../../providers/compatible.ts'
import { providers } from '../../providers/index.ts'
import type { Provider } from '../../src/upstream/provider.ts'

export const PAGE = join(import.meta.dir, '../../docs/providers.md')
const BEGIN = '<!-- providers: written by `bun test/providers/table.ts` -->'
const END = '<!-- /providers -->'

const code = (words: readonly string[] = []): string => words.map((word) => `\`${word}\``).join(', ')

/** Where it is when nothing is said. */
function addressOf(provider: Provider): string {
  const row = rows.find(({ id }) => id === provider.id)
  if (typeof row?.base === 'string') return row.base
  const settings: Record<string, string> = {
    api_key: 'k',
    account_id: 'ACCOUNT',
    aws_region_name: 'REGION',
    vertex_project: 'PROJECT',
    vertex_location: 'LOCATION',
  }
  const parsed = provider.settings.safeParse(settings)
  return parsed.success ? provider.origin(parsed.data) : '`api_base`'
}

const DIALECTS: Readonly<Record<string, string>> = {
  'openai-chat': 'chat',
  'openai-completions': 'completions',
  'openai-embeddings': 'embeddings',
  'openai-responses': 'responses',
  'openai-moderations': 'moderations',
  'openai-images': 'images',
  'openai-image-edits': 'image edits',
  'openai-image-variations': 'image variations',
  'openai-speech': 'speech',
  'openai-transcriptions': 'transcriptions',
  'openai-translations': 'translations',
}

function lineOf(provider: Provider): string {
  const { id, prefixes = [], env = {}, speaks, local } = provider
  const { api_key: keys, api_base: bases, ...others } = env
  const said = [...Object.keys(speaks), ...Object.keys(provider.places ?? {})]
  const settings = Object.entries(others).map(([name, variables]) => `\`${name}\` (${code(variables)})`)
  const cells = [
    code([id, ...prefixes]),
    `${addressOf(provider)}${local ? ' (own)' : ''}`,
    code(keys),
    [code(bases), ...settings].filter((cell) => cell !== '').join(', '),
    said.map((dialect) => DIALECTS[dialect] ?? dialect).join(', '),
  ]
  return `| ${cells.join(' | ')} |`
}

export function table(): string {
  const shown = providers.filter(({ id }) => id !== 'demo')
  const sorted = [...shown].sort((a, b) => a.id.localeCompare(b.id))
  return ['| prefix | address | key | other variables | speaks |', '|---|---|---|---|---|', ...sorted.map(lineOf)].join(
    '\n',
  )
}

/** The page with the table as it must be. */
export function withTable(page: string): string {
  const [before = '', rest = ''] = page.split(BEGIN)
  const [, after = ''] = rest.split(END)
  return `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`
}

if (import.meta.main) await Bun.write(PAGE, withTable(await Bun.file(PAGE).text()))
