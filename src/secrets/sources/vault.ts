/**
 * HashiCorp Vault, and OpenBao, which speaks the same API: KV version 2, entered by a token, by AppRole, or by the service
 * account of a Kubernetes pod. Settings are Vault's own variables unless the configuration says otherwise.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Reference } from '../reference.ts'
import { askJson, fieldOf, SourceError, type SourceOptions, type VaultSettings } from './source.ts'

/** Where Kubernetes puts a pod's own token. */
const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

type VaultReference = Extract<Reference, { kind: 'vault' }>

export class Vault {
  readonly #settings: VaultSettings
  readonly #address: string
  readonly #podToken: string
  readonly #ca: string | undefined
  #token: Promise<string> | undefined

  /** @throws SourceError where it is not said where the Vault is, or who we are there */
  constructor({ env, vault = {} }: SourceOptions) {
    this.#settings = {
      address: vault.address ?? env.VAULT_ADDR,
      namespace: vault.namespace ?? env.VAULT_NAMESPACE,
      token: vault.token ?? env.VAULT_TOKEN,
      role_id: vault.role_id ?? env.VAULT_ROLE_ID,
      secret_id: vault.secret_id ?? env.VAULT_SECRET_ID,
      kubernetes_role: vault.kubernetes_role ?? env.VAULT_K8S_ROLE,
      auth_mount: vault.auth_mount,
    }
    const { address, token, role_id: roleId, kubernetes_role: pod } = this.#settings
    if (!address)
      throw new SourceError('it is not said where the Vault is: set VAULT_ADDR or tollgate.secrets.vault.address')
    this.#address = address.replace(/\/+$/, '')
    if (!token && !roleId && !pod)
      throw new SourceError(
        'it is not said who we are in the Vault: set VAULT_TOKEN, VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_K8S_ROLE',
      )
    this.#podToken = vault.kubernetes_token_file ?? POD_TOKEN
    const caFile = vault.ca ?? env.VAULT_CACERT
    try {
      this.#ca = caFile ? readFileSync(caFile, 'utf8') : undefined
    } catch (cause) {
      throw new SourceError(`${caFile} can't be read (${(cause as { code?: string }).code ?? 'unknown'})`)
    }
  }

  /** The fields of one secret. @throws SourceError */
  async read({ mount, path, field }: VaultReference): Promise<string> {
    const answer = await this.#ask(
      `/v1/${mount}/data/${path.split('/').map(encodeURIComponent).join('/')}`,
      `${mount}/${path}`,
    )
    const { data } = (answer.data ?? {}) as { data?: unknown }
    return fieldOf(data, field, `${mount}/${path} in the Vault`)
  }

  async #ask(path: string, what: string): Promise<Record<string, unknown>> {
    const known = this.#token !== undefined
    this.#token ??= this.#login()
    const login = this.#token
    const forget = () => {
      if (login === this.#token) this.#token = undefined
    }
    try {
      const token = await login.catch((cause) => {
        forget()
        throw cause
      })
      return await this.#get(path, token)
    } catch (cause) {
      const status = cause instanceof SourceError ? cause.status : undefined
      if (status === 404) throw new SourceError(`the Vault has no ${what} (KV version 2)`, 404)
      if (status !== 403) throw cause
      forget()
      // A token that was given to us may have ended: another is asked for. One that the operator gave us is his matter.
      if (known && !this.#settings.token) return await this.#ask(path, what)
      throw new SourceError(`the Vault does not let us read ${what} (403)`, 403)
    }
  }

  #get(path: string, token: string): Promise<Record<string, unknown>> {
    return askJson('the Vault', this.#address + path, {
      headers: { ...this.#namespace(), 'x-vault-token': token },
      ca: this.#ca,
    })
  }

  async #login(): Promise<string> {
    const { token, role_id: roleId, secret_id: secretId, kubernetes_role: role, auth_mount: mount } = this.#settings
    if (token) return token
    if (roleId)
      return await this.#enter(mount ?? 'approle', { role_id: roleId, ...(secretId ? { secret_id: secretId } : {}) })
    const file = this.#podToken
    const jwt = await readFile(file, 'utf8').catch((cause) => {
      throw new SourceError(`${file} can't be read (${(cause as { code?: string }).code ?? 'unknown'}): is this a pod?`)
    })
    return await this.#enter(mount ?? 'kubernetes', { role, jwt: jwt.trim() })
  }

  async #enter(mount: string, body: Record<string, unknown>): Promise<string> {
    const url = `${this.#address}/v1/auth/${mount}/login`
    const headers = { ...this.#namespace(), 'content-type': 'application/json' }
    const answer = await askJson('the Vault', url, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      ca: this.#ca,
    }).catch((cause) => {
      const status = cause instanceof SourceError ? cause.status : undefined
      throw status === 400 || status === 403
        ? new SourceError(`the Vault does not let us in at auth/${mount} (${status})`)
        : cause
    })
    const { client_token: token } = (answer.auth ?? {}) as { client_token?: unknown }
    if (typeof token !== 'string') throw new SourceError(`the Vault gave no token at auth/${mount}`)
    return token
  }

  #namespace(): Record<string, string> {
    const { namespace } = this.#settings
    return namespace ? { 'x-vault-namespace': namespace } : {}
  }
}
