/** `tollgate.auth`: what is wrong with it is said before anybody comes in. */
import { expect, test } from 'bun:test'
import { right, told } from './providers.ts'

const auth = (entry: string, more = '') => `tollgate: { auth: [${entry}]${more} }`
const PROXY = ', trusted_proxies: [10.0.0.1]'

test.each([
  ['an unknown way', auth('{ api_kee: {} }'), 'Did you mean `api_key`?'],
  ['an unknown word in a way', auth('{ jwt: { isuer: "https://a.example", audience: a } }'), 'Did you mean `issuer`?'],
  [
    'an unknown word deep down',
    auth('{ all: [{ ip: { alow: [10.0.0.1] } }, { api_key: {} }] }'),
    'Did you mean `allow`?',
  ],
  ['two ways in one', auth('{ api_key: {}, basic: { htpasswd: x } }'), 'exactly one of api_key, basic'],
  ['none', auth('{}'), 'exactly one of'],
  ['an empty list', 'tollgate: { auth: [] }', 'must not be empty'],
  ['no address', auth('{ all: [{ ip: { allow: [10.0.0.300] } }, { api_key: {} }] }'), 'an address or a range'],
  ['no range', 'tollgate: { trusted_proxies: [10.0.0.0/33] }', 'an address or a range'],
  ['no role', auth('{ ip: { allow: [::1], as: { role: king } } }'), 'must be one of proxy_admin'],
  ['addresses that say nothing of who it is', auth('{ ip: { allow: [::1] } }'), 'does not say who it is'],
  ['the same in all', auth('{ all: [{ ip: { allow: [::1] } }] }'), 'and not who it is'],
  ['the same within any', auth('{ any: [{ ip: { allow: [::1] } }, { api_key: {} }] }'), 'does not say who it is'],
  ['a token from anywhere', auth('{ jwt: { audience: a } }'), 'needs `issuer`'],
  ['a token for anybody', auth('{ jwt: { issuer: "https://a.example" } }'), 'needs `audience`'],
  ['a short secret', auth('{ jwt: { secret: short, audience: a } }'), 'at least 32 characters'],
  [
    'HS256 without a secret',
    auth('{ jwt: { issuer: "https://a.example", audience: a, algorithms: [RS256, HS256] } }'),
    'need `secret`',
  ],
  ['alg none', auth('{ jwt: { issuer: "https://a.example", audience: a, algorithms: [none] } }'), 'expects'],
  [
    'a secret and keys',
    auth(`{ jwt: { jwks: "https://a.example/jwks", secret: ${'s'.repeat(40)}, audience: a } }`),
    'exclude each other',
  ],
  [
    'roles of the provider taken at their word',
    auth('{ jwt: { issuer: "https://a.example", audience: a, claims: { role: groups } } }'),
    'needs `roles`',
  ],
  ['a certificate that nobody is asked for', auth('{ mtls: {} }'), 'needs `tollgate.tls.client_ca`'],
  ['a header of anybody', auth('{ mtls: { header: x-cert, ca: ca.pem } }'), 'trusted_proxies'],
  ['a certificate of anybody', auth('{ mtls: { header: x-cert } }', PROXY), 'needs `ca` or `verify_header`'],
  ['a subject that nobody checked', auth('{ mtls: { subject_header: x-dn } }', PROXY), 'needs `verify_header`'],
  ['X-Forwarded-For of anybody', 'general_settings: { use_x_forwarded_for: true }', 'needs `tollgate.trusted_proxies`'],
  [
    'two lists of ways',
    `general_settings: { enable_jwt_auth: true }\n${auth('{ api_key: {} }')}`,
    'both say who may come in',
  ],
])('%s', (_, text, message) => {
  const said = told(text).filter((line) => line.startsWith('E'))
  // An unknown word may be one that is missing elsewhere.
  expect(said.length).toBeWithin(1, 3)
  expect(said.join('\n')).toContain(message)
})

test('LiteLLM’s tokens become a way of ours, beside keys', () => {
  const env = {
    JWT_PUBLIC_KEY_URL: 'https://a.example/jwks, https://b.example/jwks',
    JWT_AUDIENCE: 'llm',
    JWT_ISSUER: 'https://a.example',
  }
  const { config } = right(
    `general_settings:
  enable_jwt_auth: true
  allowed_ips: [10.0.0.1]
  litellm_jwtauth:
    admin_jwt_scope: llm_admin
    user_id_jwt_field: email
    team_ids_jwt_field: groups
    team_id_default: others
    user_allowed_email_domain: example.com
    user_roles_jwt_field: resource_access.llm.roles
    jwt_litellm_role_map: [{ jwt_role: member, litellm_role: internal_user }]
    public_key_ttl: 60
`,
    env,
  )
  expect(config.auth.entries).toMatchObject([
    { api_key: {} },
    {
      jwt: {
        jwks: ['https://a.example/jwks', 'https://b.example/jwks'],
        issuer: 'https://a.example',
        audience: ['llm'],
        any_audience: false,
        claims: { user: 'email', teams: 'groups', role: 'resource_access.llm.roles scope' },
        roles: { member: 'internal_user', llm_admin: 'proxy_admin' },
        team_default: 'others',
        email_domain: 'example.com',
        keys_for: 60,
      },
    },
  ])
  expect(config.auth.allowed.all).toEqual(['10.0.0.1'])
  expect(told('general_settings: { litellm_jwtauth: { enforce_rbac: true }, enable_jwt_auth: true }')[0]).toContain(
    'enforce_rbac',
  )
})

test('without a word, keys open the door', () => {
  const { auth } = right('').config
  expect(auth).toEqual({
    entries: undefined,
    trusted: [],
    allowed: { all: undefined },
    attempts: { free: 10, windowMs: 60_000, waitMs: 1_000, longestMs: 300_000 },
  })
})
