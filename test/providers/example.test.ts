/** A compatible provider more is one row, and a native one is one file: the examples of docs/providers.md, as they stand. */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { providers } from '../../providers/index.ts'
import { PREFIXES } from '../../src/config/known-names.ts'
import { FREE } from '../../src/core/price.ts'
import type { Target } from '../../src/core/target.ts'
import type { ChatTarget } from '../../src/dialects/dialect.ts'
import { compatible, type Row } from '../../src/upstream/compatible.ts'
import { Link } from '../../src/upstream/link.ts'
import type { Provider } from '../../src/upstream/provider.ts'
import { findProvider } from '../../src/upstream/registry.ts'
import { plainWays } from '../support/ways.ts'
import { CHATS } from './answers.ts'
import { chatOf, dialectOf, embedOf, sent } from './house.ts'
import { PAGE, withTable } from './table.ts'

const page = await Bun.file(PAGE).text()
const folder = mkdtempSync(join(tmpdir(), 'tollgate-example-'))
afterAll(() => rmSync(folder, { recursive: true }))

const block = (kind: string): string => {
  const found = new RegExp(`\`\`\`ts ${kind}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1]
  if (!found) throw new Error(`docs/providers.md shows no ${kind}`)
  return found
}

async function moduleOf(source: string): Promise<{ default: unknown }> {
  const file = join(folder, `example-${Bun.hash(source)}.ts`)
  const root = join(import.meta.dir, '../..')
  // It stands elsewhere than in providers/, with the same neighbours.
  writeFileSync(
    file,
    source.replaceAll("'../src/", `'${root}/src/`).replaceAll("from 'zod'", `from '${root}/node_modules/zod'`),
  )
  return await import(file)
}

const linkTo = (provider: Provider, model: string, given: Record<string, unknown>): Link => {
  const target = {
    id: 'it',
    alias: 'it',
    provider: provider.id,
    model,
    price: FREE,
    abilities: provider.abilities ?? {},
    defaults: {},
  } as unknown as Target
  return new Link({
    target,
    provider,
    settings: provider.settings.parse(given),
    extraHeaders: {},
    extraBody: {},
    dropParams: undefined,
    ways: plainWays,
    named: true,
  })
}

describe('a compatible provider', () => {
  test('is one row', async () => {
    const row = (await moduleOf(`export default ${block('row')}`)).default as Row
    expect(block('row').trim().split('\n')).toHaveLength(1)
    const provider = compatible(row) as Provider
    expect(provider.env).toMatchObject({ api_key: ['EXAMPLE_API_KEY'], api_base: ['EXAMPLE_API_BASE'] })
    const link = linkTo(provider, 'some-model', { api_key: 'k-0123456789' })
    const chat = await sent(link, chatOf())
    expect([chat.url, chat.headers.authorization]).toEqual([
      'https://api.example.com/v1/chat/completions',
      'Bearer k-0123456789',
    ])
    expect(chat.body).toEqual({ model: 'some-model', messages: [{ role: 'user', content: 'Hello' }] })
    expect((await sent(link, embedOf())).url).toBe('https://api.example.com/v1/embeddings')
    expect(linkTo(provider, 'm', { api_base: 'http://here:1/v1/' }).url('openai-chat', true)).toBe(
      'http://here:1/v1/chat/completions',
    )
  })
})

describe('a native provider', () => {
  test('is one file', async () => {
    const provider = (await moduleOf(block('file'))).default as Provider
    const link = linkTo(provider, 'big', { api_key: 'k-0123456789' })
    expect(link.speaks).toEqual(['anthropic'])
    const request = await sent(link, chatOf({ topK: 5, maxTokens: 9 }))
    expect([request.url, request.headers['x-example-key']]).toEqual([
      'https://eu.example.com/models/big/messages',
      'k-0123456789',
    ])
    expect(request.body).toEqual({
      model: 'big',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'Hello' }],
      store: false,
    })
    const { whole } = CHATS.anthropic as NonNullable<(typeof CHATS)['anthropic']>
    expect((dialectOf('anthropic') as ChatTarget).readReply(whole).choices[0]?.parts).toEqual([
      { type: 'text', text: 'Hello!' },
    ])
    expect(linkTo(provider, 'embed-1', { api_key: 'k-0123456789' }).speaks).toEqual([])
    expect(() => linkTo(provider, 'big', {})).toThrow()
    expect(Bun.inspect(link, { depth: 9 })).not.toContain('k-0123456789')
  })
})

test('the table of all providers is what the list says (`bun test/providers/table.ts` writes it again)', () => {
  expect(page === withTable(page)).toBe(true)
  for (const { id } of providers) if (id !== 'demo') expect(page).toContain(`| \`${id}\``)
})

test('every prefix of LiteLLM is a provider here, or the page says why it is not', () => {
  const reasons = page.slice(page.indexOf('## What is not here'))
  const without = PREFIXES.filter((prefix) => !findProvider(prefix))
  for (const prefix of without) expect([prefix, reasons.includes(`\`${prefix}\``)]).toEqual([prefix, true])
  // And none is excused that is there.
  for (const [, prefix = ''] of reasons.matchAll(/`([a-z0-9_-]+)`/g))
    expect([prefix, without.includes(prefix)]).toEqual([prefix, true])
})
