/**
 * Whose requests AWS takes, whatever way they come: against servers that answer as docs.aws.amazon.com documents STS, the
 * metadata of an instance and the credentials of a container. In a process of its own each, since AWS's library reads the
 * environment.
 */
import { afterAll, beforeEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import { makeTemp } from '../support/temp.ts'

interface Asked {
  at: string
  body: string
  authorization: string
}
let asked: Asked[] = []
let used: { authorization: string; token: string | null }[] = []
let lifeMs = 3_600_000
let denied = false
let count = 0

const ends = () => new Date(Date.now() + lifeMs).toISOString().replace(/\.\d+Z$/, 'Z')
const xml = (text: string, status = 200) => new Response(text, { status, headers: { 'content-type': 'text/xml' } })

/** STS: AssumeRole, AssumeRoleWithWebIdentity (docs.aws.amazon.com/STS/latest/APIReference). */
function sts(action: string): Response {
  if (denied)
    return xml(
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
      403,
    )
  const n = ++count
  return xml(
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIAROLE${n}</AccessKeyId><SecretAccessKey>role-secret-${n}</SecretAccessKey><SessionToken>role-token-${n}</SessionToken><Expiration>${ends()}</Expiration></Credentials></${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`,
  )
}

const temporary = (id: string) => ({
  Code: 'Success',
  Type: 'AWS-HMAC',
  AccessKeyId: id,
  SecretAccessKey: 'surroundings-secret',
  Token: 'surroundings-token',
  Expiration: ends(),
  LastUpdated: '2026-01-01T00:00:00Z',
})

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url)
    const authorization = request.headers.get('authorization') ?? ''
    if (pathname.startsWith('/model/')) {
      await request.text()
      used.push({ authorization, token: request.headers.get('x-amz-security-token') })
      return Response.json({
        output: { message: { role: 'assistant', content: [{ text: 'Hello!' }] } },
        stopReason: 'end_turn',
        usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
      })
    }
    const body = await request.text()
    asked.push({ at: `${request.method} ${pathname}`, body, authorization })
    if (pathname === '/latest/api/token') return new Response('imds-token')
    if (pathname.startsWith('/latest/meta-data/iam/security-credentials')) {
      if (request.headers.get('x-aws-ec2-metadata-token') !== 'imds-token') return new Response(null, { status: 401 })
      return pathname.endsWith('/') ? new Response('my-role') : Response.json(temporary('ASIAINSTANCE'))
    }
    if (pathname === '/container') return Response.json(temporary('ASIACONTAINER'))
    return sts(new URLSearchParams(body).get('Action') ?? '')
  },
})
const base = `http://127.0.0.1:${server.port}`
const folder = makeTemp('aws')
await Bun.write(
  join(folder, 'credentials'),
  '[me]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = profile-secret\n',
)
await Bun.write(
  join(folder, 'config'),
  `[profile me]\nregion = eu-west-1\n\n[profile boss]\nrole_arn = arn:aws:iam::1:role/boss\nsource_profile = me\n`,
)
await Bun.write(join(folder, 'token'), 'ey.identity.token\n')

beforeEach(() => {
  asked = []
  used = []
  lifeMs = 3_600_000
  denied = false
  count = 0
})
afterAll(async () => {
  await server.stop(true)
})

/** Asks in a process of its own, `times` at once and `rounds` one after the other. What it prints. */
async function run(
  params: object,
  env: Record<string, string> = {},
  { times = 1, rounds = 1, pauseMs = 0 } = {},
): Promise<string[]> {
  const where = { aws_region_name: 'eu-west-1', aws_bedrock_runtime_endpoint: base, aws_sts_endpoint: base }
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'aws-child.ts')], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      ASK: JSON.stringify({ params: { ...where, ...params }, times, rounds, pauseMs }),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(out + err)
  // Neither the link nor an error shows what must not be shown.
  expect(out + err).not.toMatch(/-secret|-token-|identity\.token/)
  return out.split('\n')
}
const keyOf = (header: string | undefined) => /Credential=([A-Z0-9]+)\//.exec(header ?? '')?.[1]
const KEY = { aws_access_key_id: 'AKIASTATIC', aws_secret_access_key: 'static-secret' }
const ROLE = 'arn:aws:iam::1:role/mine'

test('a key that stands there is used as it is, without asking anybody', async () => {
  expect((await run(KEY))[0]).toBe('200')
  expect(keyOf(used[0]?.authorization)).toBe('AKIASTATIC')
  expect(asked).toEqual([])
})

test('a profile of the command line is read, and one that assumes a role assumes it', async () => {
  expect((await run({ aws_profile_name: 'me' }))[0]).toBe('200')
  expect(keyOf(used[0]?.authorization)).toBe('AKIAPROFILE')
  expect(asked).toEqual([])
  // Explicit beats the environment's key.
  const env = { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'env-secret' }
  expect((await run({ aws_profile_name: 'boss' }, env))[0]).toBe('200')
  expect(keyOf(used[1]?.authorization)).toBe('ASIAROLE1')
  expect(keyOf(asked[0]?.authorization)).toBe('AKIAPROFILE')
  expect(asked[0]?.body).toContain('RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fboss')
})

test('a role is assumed with the key, once for all who wait, and kept', async () => {
  const params = { ...KEY, aws_role_name: ROLE, aws_session_name: 'gate', aws_external_id: 'outside' }
  const out = await run(params, {}, { times: 8, rounds: 3 })
  expect(out.slice(0, 24)).toEqual(Array.from({ length: 24 }, () => '200'))
  expect(asked).toHaveLength(1)
  expect(keyOf(asked[0]?.authorization)).toBe('AKIASTATIC')
  const said = new URLSearchParams(asked[0]?.body)
  expect(Object.fromEntries(said)).toMatchObject({
    Action: 'AssumeRole',
    RoleArn: ROLE,
    RoleSessionName: 'gate',
    ExternalId: 'outside',
    DurationSeconds: '3600',
  })
  expect(new Set(used.map((u) => `${keyOf(u.authorization)} ${u.token}`))).toEqual(new Set(['ASIAROLE1 role-token-1']))
})

test('it is renewed before it ends', async () => {
  // STS tells whole seconds: of three, the last tenth is not used.
  lifeMs = 3_000
  await run({ ...KEY, aws_role_name: ROLE }, {}, { times: 4, rounds: 2, pauseMs: 3_000 })
  expect(asked).toHaveLength(2)
  expect(used.map((u) => keyOf(u.authorization)).slice(0, 4)).toEqual(Array.from({ length: 4 }, () => 'ASIAROLE1'))
  expect(used.map((u) => keyOf(u.authorization)).slice(4)).toEqual(Array.from({ length: 4 }, () => 'ASIAROLE2'))
}, 20_000)

test('a token of an identity provider is exchanged, wherever it stands', async () => {
  const file = join(folder, 'token')
  for (const [said, env] of [
    ['ey.identity.token', {}],
    [file, {}],
    [`oidc/file/${file}`, {}],
    ['oidc/env/MY_TOKEN', { MY_TOKEN: 'ey.identity.token' }],
    ['oidc/env_path/MY_FILE', { MY_FILE: file }],
  ] as const) {
    asked = []
    expect([said, (await run({ aws_web_identity_token: said, aws_role_name: ROLE }, env))[0]]).toEqual([said, '200'])
    const { Action, WebIdentityToken, RoleArn } = Object.fromEntries(new URLSearchParams(asked[0]?.body))
    expect({ Action, WebIdentityToken, RoleArn }).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      WebIdentityToken: 'ey.identity.token',
      RoleArn: ROLE,
    })
  }
}, 20_000)

test('a pod of EKS has its role by its token, and does not assume it twice', async () => {
  const env = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: ROLE }
  for (const params of [{}, { aws_role_name: ROLE }]) {
    asked = []
    expect((await run(params, env))[0]).toBe('200')
    expect(asked.map((a) => new URLSearchParams(a.body).get('Action'))).toEqual(['AssumeRoleWithWebIdentity'])
  }
  // Another role is assumed from there.
  asked = []
  expect((await run({ aws_role_name: 'arn:aws:iam::1:role/other' }, env))[0]).toBe('200')
  expect(asked.map((a) => new URLSearchParams(a.body).get('Action'))).toEqual([
    'AssumeRoleWithWebIdentity',
    'AssumeRole',
  ])
}, 20_000)

test('a container and an instance have theirs', async () => {
  expect((await run({}, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${base}/container` }))[0]).toBe('200')
  expect(keyOf(used[0]?.authorization)).toBe('ASIACONTAINER')
  const env = { AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: base }
  expect((await run({}, env))[0]).toBe('200')
  expect([keyOf(used[1]?.authorization), used[1]?.token]).toEqual(['ASIAINSTANCE', 'surroundings-token'])
  expect(asked.map((a) => a.at)).toContain('PUT /latest/api/token')
}, 20_000)

test('what AWS refuses, or nobody has, is told without a secret', async () => {
  denied = true
  const [said] = await run({ ...KEY, aws_role_name: ROLE })
  expect(said).toMatch(/^auth: No token from aws: AccessDenied: .*not authorized to perform: sts:AssumeRole/)
  expect((await run({}))[0]).toMatch(/^auth: No token from aws: CredentialsProviderError: .*[Cc]redentials/)
  expect((await run({ aws_profile_name: 'nobody' }))[0]).toMatch(/^auth: No token from aws: .*nobody/)
  expect(used).toEqual([])
}, 20_000)
