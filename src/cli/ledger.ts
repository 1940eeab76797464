/** `tollgate ledger`: looks at the books themselves, with or without a gateway that runs on them. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defineCommand } from 'citty'
import { showDollars } from '../core/money.ts'
import { counted } from './report.ts'
import { type ExitCode, type Terminal, Trouble } from './terminal.ts'

const verifyCommand = defineCommand({
  meta: {
    name: 'verify',
    description: 'Prove that charges, days and totals add up to the same, to the nano-dollar. Changes nothing',
  },
  args: {
    data: { type: 'string', description: 'Folder of the database. Default: TOLLGATE_DATA, else ./.tollgate' },
    json: { type: 'boolean', description: 'Print the sums and differences as JSON' },
  },
  run: ({ args, data }) => verifyBooks(args.data, args.json === true, data as Terminal),
})

async function verifyBooks(folder: string | undefined, asJson: boolean, terminal: Terminal): Promise<ExitCode> {
  const path = join(resolve(folder ?? (terminal.env.TOLLGATE_DATA || '.tollgate')), 'tollgate.sqlite')
  if (!existsSync(path)) throw new Trouble(`there is no ledger at ${path}. Name its folder with --data.`)
  const { verifyFile } = await import('../store/verify-file.ts')
  const books = verifyFile(path, (charges) => {
    if (terminal.interactive && charges > 0 && charges % 500_000 === 0) terminal.err(`${charges} charges read …`)
  })
  const { differences, charges, payers, scopes, total, holds } = books
  if (asJson) terminal.out(JSON.stringify(books, null, 2))
  else {
    terminal.out(`charges      ${counted(charges.count, 'row')}, ${showDollars(charges.cost)}: each by its own price`)
    terminal.out(`by payer     ${counted(payers.count, 'day')}, ${showDollars(payers.cost)}`)
    terminal.out(`by scope     ${counted(scopes.count, 'day')}, ${showDollars(scopes.cost)} over all scopes`)
    terminal.out(`total        ${showDollars(total)}`)
    if (holds > 0)
      terminal.out(`under way    ${counted(holds, 'attempt')}, or left by a crash; charged at the next start`)
    for (const sentence of differences) terminal.err(sentence)
    terminal.out(differences.length === 0 ? 'The books add up.' : 'The books do NOT add up.')
  }
  return differences.length === 0 ? 0 : 1
}

export const ledgerCommand = defineCommand({
  meta: { name: 'ledger', description: 'Look at the books' },
  subCommands: { verify: verifyCommand },
})
