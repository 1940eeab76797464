/** Google Secret Manager, with the credentials that Google's own library finds (a key's file, a pod, a machine). */
import type { GoogleAuth } from 'google-auth-library'
import type { Reference } from '../reference.ts'
import { askJson, partOf, SourceError, type SourceOptions } from './source.ts'

type GoogleReference = Extract<Reference, { kind: 'gcp-sm' }>

export class GoogleSecrets {
  readonly #env: SourceOptions['env']
  #auth: GoogleAuth | undefined

  constructor({ env }: SourceOptions) {
    this.#env = env
  }

  /** @throws SourceError */
  async read({ project, name, version, field }: GoogleReference): Promise<string> {
    // gcloud's own variable for another address of this service.
    const base = this.#env.CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER ?? 'https://secretmanager.googleapis.com/'
    const path = `v1/projects/${encodeURIComponent(project)}/secrets/${name}/versions/${version}:access`
    const url = `${base.replace(/\/+$/, '')}/${path}`
    const answer = await askJson('Google Secret Manager', url, {
      headers: { authorization: `Bearer ${await this.#enter(project)}` },
    }).catch((cause) => {
      const { status } = cause as SourceError
      throw status === 404 ? new SourceError(`Google Secret Manager has no ${name} in ${project}`, 404) : cause
    })
    const { data } = (answer.payload ?? {}) as { data?: string }
    if (typeof data !== 'string' || data === '') throw new SourceError(`${name} in Google Secret Manager is empty`)
    return partOf(Buffer.from(data, 'base64').toString('utf8'), field, `${name} in Google Secret Manager`)
  }

  async #enter(projectId: string): Promise<string> {
    const { GoogleAuth } = await import('google-auth-library')
    // Told which project, the library does not ask Google for it, which takes a right of its own.
    this.#auth ??= new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'], projectId })
    const token = await this.#auth.getAccessToken().catch(() => undefined)
    if (!token)
      throw new SourceError(
        'Google finds no credentials for us: set GOOGLE_APPLICATION_CREDENTIALS, or run where there are some',
      )
    return token
  }
}
