/** Where entries of the audit go beside the database, as they are written: a file of JSON lines, a syslog server. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { rootCertificates } from 'node:tls'
import pkg from '../../package.json'
import type { AuditConfig } from '../config/audit.ts'
import { jsonlOf, syslogOf } from '../core/audit-cef.ts'
import type { ChainRow } from '../core/audit-chain.ts'
import { CHAINS } from '../core/audit-entry.ts'
import { LineFile } from '../observe/line-file.ts'
import { readSyslog, Syslog } from '../observe/syslog.ts'

interface SinkHooks {
  /** A file with authorities that are trusted beside the public ones. */
  ca: string | undefined
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export class Sinks {
  readonly #file: LineFile | undefined
  readonly #syslog: Syslog | undefined
  readonly #details: (seq: number) => string | undefined

  /** @param details what stands beside an entry of the second chain */
  constructor(
    { file, syslog }: Pick<AuditConfig, 'file' | 'syslog'>,
    details: (seq: number) => string | undefined,
    { ca, ...hooks }: SinkHooks,
  ) {
    this.#details = details
    this.#file = file === undefined ? undefined : new LineFile(file, hooks)
    this.#syslog =
      syslog === undefined
        ? undefined
        : new Syslog(readSyslog(syslog), {
            ...hooks,
            ca: ca === undefined ? undefined : [...rootCertificates, readFileSync(ca, 'utf8')],
          })
  }

  take(rows: readonly ChainRow[]): void {
    if (!this.#file && !this.#syslog) return
    const from = { host: hostname(), pid: process.pid, version: pkg.version }
    for (const row of rows) {
      const beside = row.chain === CHAINS.admin ? this.#details(row.seq) : undefined
      const details = beside === undefined ? undefined : JSON.parse(beside)
      this.#file?.write(`${jsonlOf(row, details)}\n`)
      this.#syslog?.send(syslogOf(row, from, details))
    }
  }

  reopen(): void {
    this.#file?.flush()
    this.#file?.reopen()
  }

  async stop(ms: number): Promise<void> {
    this.#file?.close()
    await this.#syslog?.stop(ms)
  }
}
