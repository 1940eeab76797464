/**
 * Secrets that lie elsewhere: each is asked for once and kept, asked for again in the background, and used in its new form
 * without a restart. A source that is down changes nothing: what was read last stays.
 */
import { isReference, readReference } from './reference.ts'
import { AwsSecrets } from './sources/aws.ts'
import { AzureVaults } from './sources/azure.ts'
import { readSecretFile } from './sources/file.ts'
import { GoogleSecrets } from './sources/google.ts'
import { SourceError, type SourceOptions } from './sources/source.ts'
import { Vault } from './sources/vault.ts'

/** What stands behind a reference: its text, or a sentence why there is none. */
export type Found = { text: string } | { fault: string }

/** By the reference as it is written. */
export type Stored = ReadonlyMap<string, Found>

export const NOTHING_STORED: Stored = new Map()

export class SecretStore {
  readonly #options: SourceOptions
  readonly #now: () => number
  /** Made when they are first needed: most houses have one. */
  #vault: Vault | undefined
  #aws: AwsSecrets | undefined
  #azure: AzureVaults | undefined
  #google: GoogleSecrets | undefined
  /** As many as the file names. */
  readonly #last = new Map<string, Found>()
  #faults: readonly string[] = []

  constructor(options: SourceOptions, now: () => number) {
    this.#options = options
    this.#now = now
  }

  /** What the last reading could not read, though an earlier one could: a sentence each. */
  get faults(): readonly string[] {
    return this.#faults
  }

  /** All of them at once; what was read before stays where its source is silent now. Never rejects. */
  async readAll(references: Iterable<string>): Promise<Stored> {
    const wanted = [...new Set(references)].filter(isReference)
    const faults: string[] = []
    const found = wanted.map(async (reference): Promise<[string, Found]> => {
      const now = await this.#read(reference)
      const before = this.#last.get(reference)
      if ('text' in now) this.#last.set(reference, now)
      else if (before) faults.push(`${reference}: ${now.fault}`)
      return [reference, 'text' in now ? now : (before ?? now)]
    })
    const stored = new Map(await Promise.all(found))
    this.#faults = faults
    return stored
  }

  async #read(text: string): Promise<Found> {
    const reference = readReference(text)
    if ('fault' in reference) return { fault: reference.fault }
    try {
      switch (reference.kind) {
        case 'file':
          return { text: await readSecretFile(reference.path) }
        case 'vault':
          this.#vault ??= new Vault(this.#options)
          return { text: await this.#vault.read(reference) }
        case 'aws-sm':
          this.#aws ??= new AwsSecrets(this.#options)
          return { text: await this.#aws.read(reference) }
        case 'azure-kv':
          this.#azure ??= new AzureVaults(this.#options, this.#now)
          return { text: await this.#azure.read(reference) }
        case 'gcp-sm':
          this.#google ??= new GoogleSecrets(this.#options)
          return { text: await this.#google.read(reference) }
      }
    } catch (cause) {
      // What a library throws may hold what was sent to it.
      return { fault: cause instanceof SourceError ? `${cause.message}.` : "its source can't be asked." }
    }
  }
}
