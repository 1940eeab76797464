/**
 * Clouds' stores of secrets, played from their documentation: AWS GetSecretValue (API reference, Secrets Manager 2017-10-17),
 * Azure Key Vault "Get Secret" 7.4 with Microsoft's token endpoint, Google `projects.secrets.versions.access`.
 */
export interface Clouds {
  url: string
  /** Name → text; changed by tests. */
  secrets: Map<string, string>
  /** Every request: method, path, and what proves who asks. */
  seen: string[]
  /** Answers everything with this status where it is set. */
  down: number | undefined
  stop(): Promise<void>
}

export function startClouds(): Clouds {
  const clouds: Clouds = { url: '', secrets: new Map(), seen: [], down: undefined, stop: () => server.stop(true) }
  const server = Bun.serve({
    ...{ port: 0, hostname: '127.0.0.1' },
    fetch: async (request) => {
      const { pathname } = new URL(request.url)
      const text = await request.text()
      const auth = request.headers.get('authorization') ?? ''
      clouds.seen.push(`${request.method} ${pathname} ${auth.slice(0, 200)}`)
      if (clouds.down !== undefined) return new Response('{}', { status: clouds.down })
      if (request.headers.get('x-amz-target') === 'secretsmanager.GetSecretValue') {
        if (
          !/^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-central-1\/secretsmanager\/aws4_request, .*Signature=[0-9a-f]{64}$/.test(
            auth,
          )
        )
          return Response.json({ __type: 'InvalidSignatureException' }, { status: 400 })
        const { SecretId } = JSON.parse(text) as { SecretId: string }
        const found = clouds.secrets.get(SecretId)
        return found === undefined
          ? Response.json({ __type: 'ResourceNotFoundException', Message: 'not found' }, { status: 400 })
          : Response.json({ Name: SecretId, SecretString: found, VersionStages: ['AWSCURRENT'] })
      }
      if (pathname === '/tenant-1/oauth2/v2.0/token') {
        const form = new URLSearchParams(text)
        const known = form.get('client_secret') === 'azure-secret' || form.get('client_assertion') === 'pod-token'
        return known && form.get('scope') === 'https://vault.azure.net/.default'
          ? Response.json({ access_token: 'azure-token', expires_in: 3599, token_type: 'Bearer' })
          : Response.json({ error: 'invalid_client' }, { status: 401 })
      }
      const azure = /^\/secrets\/([^/]+)$/.exec(pathname)?.[1]
      if (azure !== undefined) {
        if (auth !== 'Bearer azure-token') return Response.json({ error: { code: 'Unauthorized' } }, { status: 401 })
        const found = clouds.secrets.get(azure)
        return found === undefined
          ? Response.json({ error: { code: 'SecretNotFound' } }, { status: 404 })
          : Response.json({ value: found, id: `https://v/secrets/${azure}/1`, attributes: { enabled: true } })
      }
      const [, project, google, version] =
        /^\/v1\/projects\/([^/]+)\/secrets\/([^/]+)\/versions\/([^/:]+):access$/.exec(pathname) ?? []
      if (google !== undefined) {
        if (auth !== 'Bearer google-token') return Response.json({ error: { code: 401 } }, { status: 401 })
        const found = clouds.secrets.get(google)
        return found === undefined
          ? Response.json({ error: { code: 404 } }, { status: 404 })
          : Response.json({
              name: `projects/${project}/secrets/${google}/versions/${version}`,
              payload: { data: Buffer.from(found).toString('base64') },
            })
      }
      // What a workload shows for a token of Google's: RFC 8693 at the address that its own file names.
      if (pathname === '/google/token')
        return Response.json({
          access_token: 'google-token',
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          token_type: 'Bearer',
          expires_in: 3600,
        })
      return new Response('nothing here', { status: 404 })
    },
  })
  clouds.url = `http://127.0.0.1:${server.port}`
  return clouds
}
