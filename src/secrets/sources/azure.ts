/**
 * Azure Key Vault: by a client's secret (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET`), by the federated token
 * of a pod (`AZURE_FEDERATED_TOKEN_FILE`), or by the identity of the machine. The variables are those of Azure's own libraries.
 */
import { readFile } from 'node:fs/promises'
import type { Reference } from '../reference.ts'
import { askJson, SourceError, type SourceOptions } from './source.ts'

type AzureReference = Extract<Reference, { kind: 'azure-kv' }>

const RESOURCE = 'https://vault.azure.net'
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** The address of a machine's own identity, the same on all of Azure's machines. */
const MACHINE = 'http://169.254.169.254'
/** A token that ends sooner is not used any more, ms. */
const MARGIN_MS = 120_000

export class AzureVaults {
  readonly #env: SourceOptions['env']
  readonly #now: () => number
  #token: { text: string; until: number } | undefined

  constructor({ env }: SourceOptions, now: () => number) {
    this.#env = env
    this.#now = now
  }

  /** @throws SourceError */
  async read({ vault, name, version }: AzureReference): Promise<string> {
    const host = vault.startsWith('https://') ? vault : `https://${vault}.vault.azure.net`
    const url = `${host}/secrets/${name}${version === undefined ? '' : `/${version}`}?api-version=7.4`
    const answer = await askJson('Azure Key Vault', url, {
      headers: { authorization: `Bearer ${await this.#enter()}` },
    }).catch((cause) => {
      const { status } = cause as SourceError
      if (status === 401) this.#token = undefined
      throw status === 404 ? new SourceError(`Azure Key Vault ${vault} has no ${name}`, 404) : cause
    })
    if (typeof answer.value !== 'string' || answer.value === '')
      throw new SourceError(`${name} in Azure Key Vault ${vault} is empty`)
    return answer.value
  }

  async #enter(): Promise<string> {
    if (this.#token && this.#token.until - this.#now() > MARGIN_MS) return this.#token.text
    const answer = await this.#ask()
    const { access_token: text, expires_in: seconds } = answer as { access_token?: unknown; expires_in?: unknown }
    if (typeof text !== 'string') throw new SourceError('Azure gave no token')
    this.#token = { text, until: this.#now() + (Number(seconds) || 600) * 1000 }
    return text
  }

  async #ask(): Promise<Record<string, unknown>> {
    const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = this.#env
    const { AZURE_FEDERATED_TOKEN_FILE: file, AZURE_AUTHORITY_HOST: authority = 'https://login.microsoftonline.com' } =
      this.#env
    if (tenant && client && (secret || file)) {
      const form: Record<string, string> = {
        grant_type: 'client_credentials',
        client_id: client,
        scope: `${RESOURCE}/.default`,
      }
      if (secret) form.client_secret = secret
      else {
        form.client_assertion_type = ASSERTION
        form.client_assertion = (
          await readFile(file as string, 'utf8').catch(() => {
            throw new SourceError(`${file} can't be read (AZURE_FEDERATED_TOKEN_FILE)`)
          })
        ).trim()
      }
      return await askJson('Azure', `${authority.replace(/\/+$/, '')}/${tenant}/oauth2/v2.0/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(form).toString(),
      })
    }
    const identity = client ? `&client_id=${encodeURIComponent(client)}` : ''
    const url = `${this.#env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? MACHINE}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${encodeURIComponent(RESOURCE)}${identity}`
    return await askJson('The identity of this machine at Azure', url, { headers: { metadata: 'true' } }).catch(
      (cause) => {
        throw new SourceError(
          `${(cause as Error).message}: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or give the machine an identity`,
        )
      },
    )
  }
}
