/** `tollgate prices`: what models cost here, what a request would cost, and what a new release changes. No network. */
import { resolve } from 'node:path'
import { defineCommand } from 'citty'
import { keptPrices, type PriceBook, priceChanges, showChange } from '../core/price-book.ts'
import { explainPrice, serviceArg } from './price-explain.ts'
import { asJson, priceRows, unpriced } from './price-table.ts'
import { usageArgs } from './price-usage.ts'
import { counted } from './report.ts'
import { settle } from './settle.ts'
import { plain } from './table.ts'
import { type ExitCode, type Terminal, Trouble, UsageError } from './terminal.ts'

const configArg = {
  config: {
    type: 'string',
    description: 'Configuration file. Default: TOLLGATE_CONFIG, else tollgate.yaml, else what is found as with serve',
  },
} as const

/** The prices of a configuration; undefined where it is wrong, which is told. */
async function bookOf(config: string | undefined, terminal: Terminal): Promise<PriceBook | undefined> {
  const app = await terminal.app()
  const settled = await settle(config, app, terminal, 'Its prices are not known before it is right.')
  return settled && app.prices(settled.config, terminal.env)
}

const list = defineCommand({
  meta: { name: 'list', description: 'List what the models of the configuration cost' },
  args: {
    filter: { type: 'positional', required: false, description: 'Only names that hold this; models of patterns too' },
    library: { type: 'boolean', description: 'List all that the price library knows instead' },
    json: { type: 'boolean', description: "Print LiteLLM's words for the prices, as JSON" },
    ...configArg,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    if (args._.length > 1) throw new UsageError('one filter at a time.')
    const book = await bookOf(args.config, terminal)
    if (!book) return 1
    const now = Date.now()
    const filter = args.filter?.toLowerCase()
    const all = args.library ? book.all() : book.targets
    const rows = all.filter(({ alias, target, byPattern }) =>
      filter === undefined ? !byPattern : `${alias} ${target}`.toLowerCase().includes(filter),
    )
    if (args.json) {
      terminal.out(
        JSON.stringify(
          rows.map((row) => asJson(row, now)),
          null,
          2,
        ),
      )
      return 0
    }
    for (const line of priceRows(rows, now)) terminal.out(line)
    if (filter === undefined && !args.library) for (const line of patterns(book)) terminal.out(line)
    for (const line of unpriced(rows)) terminal.out(line)
    return 0
  },
})

/** Models behind patterns are many, so that they are listed only by a filter. */
function patterns({ targets }: PriceBook): string[] {
  const many = new Map<string, number>()
  for (const { alias, byPattern } of targets) if (byPattern) many.set(alias, (many.get(alias) ?? 0) + 1)
  return [...many].map(
    ([alias, n]) => `${plain(alias)}: each model by its own name; ${n} are known: \`tollgate prices list FILTER\``,
  )
}

const explain = defineCommand({
  meta: { name: 'explain', description: 'Tell what a request would cost, part by part' },
  args: {
    model: { type: 'positional', required: true, description: 'An alias, or provider/model of the price library' },
    ...usageArgs,
    ...serviceArg,
    at: { type: 'string', description: 'The moment: 2026-12-01, 2026-12-01T20:00Z (UTC). Default: now' },
    json: { type: 'boolean', description: 'Print it as JSON' },
    ...configArg,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    if (args._.length > 1) throw new UsageError('one model at a time.')
    // What is asked is read first: a wrong command line needs no configuration.
    const explained = explainPrice(args, Date.now())
    const book = await bookOf(args.config, terminal)
    if (!book) return 1
    const targets = book.named(args.model)
    if (targets.length === 0)
      throw new Trouble(
        `nothing here is called \`${plain(args.model)}\`, and the price library knows no such \`provider/model\`. \`tollgate prices list --library FILTER\` tells what it knows.`,
      )
    const told = targets.map(explained)
    if (args.json)
      terminal.out(
        JSON.stringify(
          told.map((t) => t.json),
          null,
          2,
        ),
      )
    else for (const line of told.flatMap((t, i) => (i === 0 ? t.lines : ['', ...t.lines]))) terminal.out(line)
    return told.some((t) => t.json.cost !== null) ? 0 : 1
  },
})

const update = defineCommand({
  meta: {
    name: 'update',
    description: 'Tell what the installed price library and the configuration change, against what was last used',
  },
  args: {
    data: { type: 'string', description: 'Folder of the database. Default: TOLLGATE_DATA, else ./.tollgate' },
    json: { type: 'boolean', description: 'Print the changes as JSON' },
    ...configArg,
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const book = await bookOf(args.config, terminal)
    if (!book) return 1
    const folder = resolve(args.data ?? (terminal.env.TOLLGATE_DATA || '.tollgate'))
    const { keep, readKept } = await import('../store/price-file.ts')
    const before = readKept(folder)
    const after = keptPrices(book, Date.now())
    const changes = before ? priceChanges(before, after) : []
    const without = book.targets.filter((t) => !t.byPattern && t.price.kind === 'unknown')
    const path = keepIn(folder, () => keep(folder, after))
    if (args.json) {
      const names = without.map((t) => ({ alias: t.alias, target: t.target }))
      terminal.out(
        JSON.stringify({ before: before?.library ?? null, library: book.library, changes, unpriced: names }, null, 2),
      )
      return 0
    }
    const from = before && before.library !== book.library ? `${plain(before.library)} → ` : ''
    terminal.out(`library: ${from}${book.library}`)
    for (const line of changes.flatMap(showChange)) terminal.out(plain(line))
    if (!before) terminal.out('No prices were kept in this folder yet, so that there is nothing to compare with.')
    else terminal.out(changes.length === 0 ? 'No price has changed.' : `${counted(changes.length, 'price')} changed.`)
    for (const line of unpriced(book.targets.filter((t) => !t.byPattern))) terminal.out(line)
    terminal.out(`Kept in ${path}. A gateway that is running takes them at its next start.`)
    return 0
  },
})

function keepIn(folder: string, keep: () => string): string {
  try {
    return keep()
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? String(cause)
    throw new Trouble(`the prices can't be kept in ${folder} (${code}). Name the gateway's data folder with --data.`)
  }
}

export const pricesCommand = defineCommand({
  meta: { name: 'prices', description: 'Tell what models cost, what a request would cost, and what has changed' },
  default: 'list',
  subCommands: { list, explain, update },
})
