/** AWS Secrets Manager, with the credentials that AWS's own library finds (variables, profiles, roles, pods, instances). */
import type { Reference } from '../reference.ts'
import { askJson, partOf, SourceError, type SourceOptions } from './source.ts'

type AwsReference = Extract<Reference, { kind: 'aws-sm' }>

export class AwsSecrets {
  readonly #env: SourceOptions['env']
  #credentials: ReturnType<typeof import('@aws-sdk/credential-providers')['fromNodeProviderChain']> | undefined

  constructor({ env }: SourceOptions) {
    this.#env = env
  }

  /** @throws SourceError */
  async read({ id, field }: AwsReference): Promise<string> {
    // An ARN names its region.
    const region =
      /^arn:[^:]+:secretsmanager:([^:]+):/.exec(id)?.[1] ?? this.#env.AWS_REGION ?? this.#env.AWS_DEFAULT_REGION
    if (!region) throw new SourceError('it is not said in which region it is: set AWS_REGION')
    const url = this.#env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? `https://secretsmanager.${region}.amazonaws.com/`
    const body = JSON.stringify({ SecretId: id })
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'secretsmanager.GetSecretValue',
    }
    const signed = await this.#sign(url, headers, body, region)
    const answer = await askJson('AWS Secrets Manager', url, { method: 'POST', headers: signed, body }).catch(
      (cause) => {
        const { status } = cause as SourceError
        throw status === 400
          ? new SourceError(`AWS Secrets Manager does not give ${id} (400): there is none, or we may not read it`)
          : cause
      },
    )
    const { SecretString: text, SecretBinary: binary } = answer as { SecretString?: string; SecretBinary?: string }
    const value = text ?? (binary === undefined ? undefined : Buffer.from(binary, 'base64').toString('utf8'))
    if (value === undefined) throw new SourceError(`${id} in AWS Secrets Manager is empty`)
    return partOf(value, field, `${id} in AWS Secrets Manager`)
  }

  async #sign(
    url: string,
    headers: Record<string, string>,
    body: string,
    region: string,
  ): Promise<Record<string, string>> {
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
    const { AwsV4Signer } = await import('aws4fetch')
    this.#credentials ??= fromNodeProviderChain()
    const found = await this.#credentials().catch(() => {
      throw new SourceError(
        'AWS finds no credentials for us: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role',
      )
    })
    const signer = new AwsV4Signer({
      ...{ url, method: 'POST', headers, body, region, service: 'secretsmanager' },
      ...{ accessKeyId: found.accessKeyId, secretAccessKey: found.secretAccessKey },
      ...(found.sessionToken === undefined ? {} : { sessionToken: found.sessionToken }),
    })
    return Object.fromEntries((await signer.sign()).headers)
  }
}
