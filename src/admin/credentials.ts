/**
 * Credentials of providers under a name, for models that say `litellm_credential_name`: from the file, or entered by the
 * routes, which are kept sealed and shown to nobody again. A new value is used from the next request on.
 */

import { type TellChange, tellNobody } from '../core/change.ts'
import { Refusal } from '../core/refusal.ts'
import { isSecretSetting, Secret } from '../secrets/secret.ts'

export interface Credential {
  name: string
  /** Settings of `litellm_params`: `api_key`, `api_base`, … */
  values: Readonly<Record<string, string | Secret>>
  info: Readonly<Record<string, unknown>>
}

/** One sealed text that holds all of them. */
export interface CredentialShelf {
  read(): string | undefined
  write(text: string): void
}

/** The models with the settings of the credentials that they name; what they say themselves wins. */
export const withCredentials = <
  M extends { credential: string | undefined; settings: Readonly<Record<string, unknown>> },
>(
  models: readonly M[],
  credentials: Credentials,
): M[] =>
  models.map((model) =>
    model.credential === undefined
      ? model
      : { ...model, settings: { ...credentials.settingsOf(model.credential), ...model.settings } },
  )

const MOST = 1_000

export class Credentials {
  readonly #shelf: CredentialShelf
  readonly #fixed: ReadonlyMap<string, Credential>
  readonly #entered: Map<string, Credential>
  /** What models hold, by credential and setting. */
  readonly #cells = new Map<string, Secret>()

  readonly #tell: TellChange

  /** @param fixed of the file, which the routes can't change @throws Error where the shelf can't be opened */
  constructor(shelf: CredentialShelf, fixed: readonly Credential[], tell: TellChange = tellNobody) {
    this.#shelf = shelf
    this.#tell = tell
    this.#fixed = new Map(fixed.map((one) => [one.name, one]))
    const kept = JSON.parse(shelf.read() ?? '[]') as Credential[]
    this.#entered = new Map(kept.map((one) => [one.name, one]))
  }

  get(name: string): Credential | undefined {
    return this.#fixed.get(name) ?? this.#entered.get(name)
  }

  all(): Credential[] {
    return [...this.#fixed.values(), ...[...this.#entered.values()].filter(({ name }) => !this.#fixed.has(name))]
  }

  /** What a model takes from it. One that nobody has entered yet has an empty key, which is filled when it comes. */
  settingsOf(name: string): Record<string, string | Secret> {
    const { values } = this.get(name) ?? { values: {} }
    const all = Object.entries({ api_key: '', ...values })
    return Object.fromEntries(
      all.map(([setting, value]) => [
        setting,
        typeof value === 'string' && isSecretSetting(setting) ? this.#cell(name, setting, value) : value,
      ]),
    )
  }

  /** @returns settings that hold from the next start only @throws Refusal conflict where the file has it */
  put(credential: Credential): string[] {
    this.#mayChange(credential.name)
    if (!this.#entered.has(credential.name) && this.#entered.size >= MOST)
      throw new Refusal('conflict', `There are ${MOST} credentials already. Delete one that is not needed.`)
    const known = this.#entered.get(credential.name)
    const before = known?.values ?? {}
    this.#entered.set(credential.name, credential)
    this.#keep()
    this.#tell({
      ...{ table: 'credential', id: credential.name, action: known ? 'updated' : 'created' },
      ...{ before: known && shown(known), after: shown(credential) },
    })
    this.#fill(credential.name, credential.values)
    const settings = new Set([...Object.keys(before), ...Object.keys(credential.values)])
    return [...settings].filter((setting) => {
      const other = before[setting] !== credential.values[setting]
      return other && !this.#cells.has(`${credential.name} ${setting}`)
    })
  }

  /** Models that use it have no key from now on. */
  remove(name: string): void {
    this.#mayChange(name)
    const before = this.#entered.get(name)
    if (!this.#entered.delete(name)) throw new Refusal('not_found', `There is no credential '${name.slice(0, 100)}'.`)
    this.#keep()
    this.#tell({ table: 'credential', id: name, action: 'deleted', before: before && shown(before) })
    this.#fill(name, {})
  }

  #mayChange(name: string): void {
    if (this.#fixed.has(name))
      throw new Refusal('conflict', `The credential '${name}' stands in the configuration file: change it there.`, {
        status: 400,
        param: 'credential_name',
      })
  }

  #fill(name: string, values: Credential['values']): void {
    const begin = `${name} `
    for (const [key, cell] of this.#cells)
      if (key.startsWith(begin)) cell.replace(new Secret(String(values[key.slice(begin.length)] ?? '')))
  }

  #cell(name: string, setting: string, value: string): Secret {
    const key = `${name} ${setting}`
    let cell = this.#cells.get(key)
    if (!cell) {
      cell = new Secret(value)
      this.#cells.set(key, cell)
    }
    return cell
  }

  #keep(): void {
    this.#shelf.write(JSON.stringify([...this.#entered.values()]))
  }
}

/** The names of its settings, and nothing of what they are. */
const shown = ({ name, values, info }: Credential) => ({ name, settings: Object.keys(values), info })
