/** `tollgate audit`: looks at the audit itself, with or without a gateway that writes it. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defineCommand } from 'citty'
import pkg from '../../package.json'
import type { AuditKeys, proofsWith } from '../audit/keys.ts'
import { cefOf, jsonlOf } from '../core/audit-cef.ts'
import { type Checkpoint, readAnchor } from '../core/audit-chain.ts'
import { DetailsCheck } from '../core/audit-details.ts'
import { CHAINS } from '../core/audit-entry.ts'
import { type ChainReport, compareRuns, type Proofs, verifyChain } from '../core/audit-verify.ts'
import { momentOf } from './moment.ts'
import { counted } from './report.ts'
import { type ExitCode, type Terminal, Trouble, UsageError } from './terminal.ts'

const data = {
  type: 'string',
  description: 'Folder of the database. Default: TOLLGATE_DATA, else ./.tollgate',
} as const

const verifyCommand = defineCommand({
  meta: {
    name: 'verify',
    description: 'Find entries that were changed, removed, inserted, moved or cut off. Changes nothing',
  },
  args: {
    data,
    anchors: { type: 'string', description: 'A file of checkpoints that was kept elsewhere: a line of JSON each' },
    'public-key': { type: 'string', description: 'A file with the public key that was kept elsewhere (PEM)' },
    json: { type: 'boolean', description: 'Print what was found as JSON' },
  },
  run: ({ args, data: terminal }) => verify({ ...args, publicKey: args['public-key'] }, terminal as Terminal),
})

interface VerifyArgs {
  data?: string | undefined
  anchors?: string | undefined
  publicKey?: string | undefined
  json?: boolean | undefined
}

/** The file of a folder's database, and the secret beside it. @throws Trouble where there is none */
export async function auditOf(folder: string | undefined, terminal: Terminal) {
  const dir = resolve(folder ?? (terminal.env.TOLLGATE_DATA || '.tollgate'))
  const path = join(dir, 'tollgate.sqlite')
  if (!existsSync(path)) throw new Trouble(`there is no audit at ${path}. Name its folder with --data.`)
  if (!existsSync(join(dir, 'pepper')))
    throw new Trouble(`${join(dir, 'pepper')} is missing: no code can be checked without it.`)
  const { openAuditFile } = await import('../store/audit-file.ts')
  const { pepper } = await import('../store/pepper.ts')
  const { AuditKeys, proofsWith } = await import('../audit/keys.ts')
  try {
    return { file: openAuditFile(path), keys: new AuditKeys(pepper(dir)), proofsWith }
  } catch (cause) {
    throw new Trouble(`the audit at ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

async function verify(args: VerifyArgs, terminal: Terminal): Promise<ExitCode> {
  const anchors = args.anchors === undefined ? [] : readAnchors(args.anchors)
  const { file, keys, proofsWith } = await auditOf(args.data, terminal)
  try {
    const given = args.publicKey === undefined ? undefined : readText(args.publicKey)
    const publicKey = given ?? file.publicKey
    if (publicKey === undefined) throw new Trouble('this audit has no key that signs: start a gateway on it once.')
    const proofs = proofsOf(keys, publicKey, proofsWith)
    const check = new DetailsCheck((seq) => {
      const found = file.details(seq)
      const isText = typeof found?.text === 'string' && found.nonce instanceof Uint8Array
      return found && (isText ? keys.details(found.nonce, found.text) : 'something else')
    })
    const reports = Object.values(CHAINS).map((chain) => {
      const known = [...file.checkpoints(chain), ...anchors.filter((one) => one.chain === chain)]
      const see = chain === CHAINS.admin ? (row: Parameters<DetailsCheck['see']>[0]) => check.see(row) : undefined
      return verifyChain(chain, file.rows(chain), known, proofs, see)
    })
    const admin = reports.find((one) => one.chain === 'admin') as ChainReport
    admin.findings.push(...check.findings(file.detailed(), admin.tombstone))
    for (const one of compareRuns(reports)) reports.find(({ chain }) => chain === one.chain)?.findings.push(one)
    const wrong = reports.flatMap(({ findings }) => findings)
    const isOwnKey = given === undefined || samePem(given, file.publicKey ?? '')
    if (!isOwnKey) terminal.err('The public key is not the one that this gateway signs with.')
    if (args.json) terminal.out(JSON.stringify({ whole: wrong.length === 0 && isOwnKey, chains: reports }, null, 2))
    else {
      for (const one of reports) terminal.out(lineOf(one))
      for (const { sentence } of wrong) terminal.err(sentence)
      terminal.out(wrong.length === 0 && isOwnKey ? 'The audit is whole.' : 'The audit is NOT whole.')
      if (anchors.length === 0)
        terminal.err(
          'Only what lies here was looked at: whoever can write this folder could have cut it off together with its checkpoints. Name those that were kept elsewhere with --anchors and --public-key.',
        )
    }
    return wrong.length === 0 && isOwnKey ? 0 : 1
  } finally {
    file.close()
  }
}

function proofsOf(keys: AuditKeys, publicKey: string, make: typeof proofsWith): Proofs {
  try {
    return make(keys, publicKey)
  } catch {
    throw new Trouble('the public key is none: somebody has changed it. Name the one that was kept with --public-key.')
  }
}

function lineOf({ chain, entries, first, last, tombstone, signed, unsigned, gaps }: ChainReport): string {
  const which =
    entries === 0 ? 'none' : `${counted(entries, 'entry').replace('entrys', 'entries')}, ${first} to ${last}`
  const gone = tombstone > 0 ? `; those up to ${tombstone} were let go by the retention` : ''
  return `${chain.padEnd(9)} ${which}${gone}; signed up to ${signed}${unsigned > 0 ? `, ${unsigned} behind it are not yet` : ''}${gaps > 0 ? `; ${counted(gaps, 'gap')} that the gateway itself tells of` : ''}`
}

function readText(path: string): string {
  if (!existsSync(path)) throw new Trouble(`there is no file ${path}.`)
  return readFileSync(path, 'utf8')
}

function readAnchors(path: string): Checkpoint[] {
  const lines = readText(path)
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.map((line, i) => {
    const anchor = readAnchor(line)
    if (!anchor) throw new Trouble(`${path}, line ${i + 1}: this is no checkpoint of an audit.`)
    return anchor
  })
}

const samePem = (a: string, b: string): boolean => a.replaceAll(/\s/g, '') === b.replaceAll(/\s/g, '')

const keyCommand = defineCommand({
  meta: { name: 'key', description: 'Print the public key that checkpoints are signed with: keep it elsewhere' },
  args: { data },
  async run({ args, data: terminal }): Promise<ExitCode> {
    const { file } = await auditOf(args.data, terminal as Terminal)
    try {
      if (file.publicKey === undefined)
        throw new Trouble('this audit has no key that signs: start a gateway on it once.')
      ;(terminal as Terminal).out(file.publicKey.trimEnd())
      return 0
    } finally {
      file.close()
    }
  },
})

const exportCommand = defineCommand({
  meta: { name: 'export', description: 'Print the entries of a time: lines of JSON, or CEF' },
  args: {
    data,
    chain: { type: 'string', description: 'requests or admin. Default: both' },
    from: { type: 'string', description: 'The first time, as 2026-11-21 or 2026-11-21T13:00:00Z' },
    to: { type: 'string', description: 'The time at which it ends' },
    format: { type: 'string', description: 'jsonl or cef. Default: jsonl' },
  },
  async run({ args, data: given }): Promise<ExitCode> {
    const terminal = given as Terminal
    const { chain, format = 'jsonl' } = args
    if (chain !== undefined && !Object.hasOwn(CHAINS, chain)) throw new UsageError('`--chain` is requests or admin.')
    if (format !== 'jsonl' && format !== 'cef') throw new UsageError('`--format` is jsonl or cef.')
    const [from, to] = [timeOf(args.from, '--from'), timeOf(args.to, '--to')]
    const { file } = await auditOf(args.data, terminal)
    try {
      for (const number of chain === undefined ? Object.values(CHAINS) : [CHAINS[chain as keyof typeof CHAINS]])
        for (const row of file.rows(number, tombstoneOf(file.checkpoints(number)))) {
          if (row.at < (from ?? 0)) continue
          if (to !== undefined && row.at >= to) break
          const beside = number === CHAINS.admin ? file.details(row.seq) : undefined
          const details = beside && JSON.parse(beside.text)
          terminal.out(format === 'cef' ? cefOf(row, pkg.version, details) : jsonlOf(row, details))
        }
      return 0
    } finally {
      file.close()
    }
  },
})

/** Up to here everything was let go. */
const tombstoneOf = (checkpoints: readonly Checkpoint[]): number =>
  Math.max(0, ...checkpoints.filter(({ kind }) => kind === 'tombstone').map(({ seq }) => seq))

const timeOf = (said: string | undefined, flag: string): number | undefined =>
  said === undefined ? undefined : momentOf(said, flag)

const hashCommand = defineCommand({
  meta: {
    name: 'hash',
    description: "A file's hash as it stands in the audit: to find the requests that had this body",
  },
  args: { file: { type: 'positional', required: true, description: 'The body of a request, byte for byte' }, data },
  async run({ args, data: terminal }): Promise<ExitCode> {
    if (!existsSync(args.file)) throw new Trouble(`there is no file ${args.file}.`)
    const { file, keys } = await auditOf(args.data, terminal as Terminal)
    file.close()
    ;(terminal as Terminal).out(keys.prompt(readFileSync(args.file)))
    return 0
  },
})

export const auditCommand = defineCommand({
  meta: { name: 'audit', description: 'Look at the audit: who did what' },
  subCommands: { verify: verifyCommand, key: keyCommand, export: exportCommand, hash: hashCommand },
})
