/** What the command line and the composition root (`src/app.ts`) agree on. Types only. */
import type { PriceBook } from '../core/price-book.ts'
import type { Trial, TrialVerdict } from '../guardrails/trial.ts'
import type { Secret } from '../secrets/secret.ts'
import type { Config, KnownProvider } from './config.ts'
import type { Renewal } from './files.ts'
import type { KnownKind } from './guard-terms.ts'
import type { Env } from './interpolate.ts'
import type { Problem } from './problem.ts'

export interface StartOptions {
  config: Config
  /** 0 takes any free one. */
  port: number
  host: string
  /** Exists, mode 0700. */
  dataDir: string
  /** The file's, else the environment's. Undefined: keep one in the data folder, made at the first start. */
  masterKey?: Secret | undefined
  log: 'json' | 'pretty'
  /** How secrets that lie elsewhere are read again. */
  renewal?: Renewal | undefined
  /** Told on the terminal already; for the log and for whoever asks the gateway how it is. */
  warnings: readonly Problem[]
}

export interface Started {
  /** `http://127.0.0.1:4000` */
  url: string
  /** Where it is managed, if that is another address. */
  adminUrl?: string | undefined
  /** Takes no more requests, finishes those in flight within `config.shutdownGrace`, closes everything. */
  stop(): Promise<void>
  /** Only where it was made at this start: it is shown once. */
  madeMasterKey?: string | undefined
  /** Files that lines are appended to may have been moved away: new ones are begun. */
  reopen?(): void
}

/** What `src/app.ts` exports. */
/** What became of a test. */
export interface Tested {
  channel: string
  kind: string
  ok: boolean
  /** What went wrong. */
  told: string | undefined
}

export interface App {
  start(options: StartOptions): Promise<Started>
  /** Every provider there is, for the checks of a configuration and for discovery. */
  providers(): Promise<readonly KnownProvider[]> | readonly KnownProvider[]
  /** Every kind of guard there is, for the checks of a configuration. */
  guardKinds(): readonly KnownKind[]
  /** What the guardrails of a configuration say of a text, without a gateway. @throws Error naming one that can't be made */
  tryGuards(config: Config, env: Env, trial: Trial): Promise<TrialVerdict[]>
  /** What the models of a configuration cost. @throws Error naming a model whose settings are wrong */
  prices(config: Config, env: Env): PriceBook
  /** Sends a test to each channel of alerts, or to one. */
  testAlerts(config: Config, env: Env, channel?: string): Promise<Tested[]>
}
