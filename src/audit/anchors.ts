/** Where signed checkpoints are taken to: whoever has this machine can change what lies on it, and nothing that lies elsewhere. */
import { appendFile } from 'node:fs/promises'
import { anchorLine, type Checkpoint } from '../core/audit-chain.ts'

export interface AnchorPlaces {
  file: string | undefined
  webhook: string | undefined
  log: boolean
}

export interface AnchorHooks {
  /** Posts JSON through the guarded way out. @throws where it could not be delivered */
  post(url: string, body: string): Promise<void>
  info(message: string, facts: Readonly<Record<string, unknown>>): void
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

/** A checkpoint is tried so often, with a pause that doubles, ms. Later ones say more than it did. */
const TRIES = 4
const PAUSE_MS = 1_000

export class Anchors {
  readonly #places: AnchorPlaces
  readonly #hooks: AnchorHooks
  /** One after the other, in their order. */
  #under: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(places: AnchorPlaces, hooks: AnchorHooks) {
    this.#places = places
    this.#hooks = hooks
  }

  take(checkpoint: Checkpoint): void {
    const line = anchorLine(checkpoint)
    const { file, webhook, log } = this.#places
    if (log) this.#hooks.info('A checkpoint of the audit.', JSON.parse(line))
    if ((file === undefined && webhook === undefined) || this.#waiting >= 1_000) return
    this.#waiting++
    this.#under = this.#under.then(async () => {
      if (file !== undefined) await this.#try('file', () => appendFile(file, `${line}\n`, { mode: 0o600 }))
      if (webhook !== undefined) await this.#try('webhook', () => this.#hooks.post(webhook, line))
      this.#waiting--
    })
  }

  async #try(place: 'file' | 'webhook', act: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++)
      try {
        await act()
        return
      } catch (cause) {
        if (attempt === TRIES) {
          this.#hooks.warn(
            'A checkpoint of the audit could not be taken out of the house; the next one will be tried.',
            {
              anchor: place,
              told: String(cause),
            },
          )
          return
        }
        await Bun.sleep(PAUSE_MS * 2 ** (attempt - 1))
      }
  }

  /** @returns when everything was tried, or after `ms` */
  async stop(ms: number): Promise<void> {
    await Promise.race([this.#under, Bun.sleep(ms)])
  }
}
