/** Two organisations with a team each, and somebody of every role in the first. */
import type { Role } from '../../src/core/role.ts'
import { type Mock, startMock } from '../mock/upstream.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'

export interface Said {
  status: number
  text: string
  json: Record<string, unknown>
}

export interface World {
  mock: Mock
  gateway: Gateway
  /** A key of somebody of each role: in organisation `acme`, team `red`. */
  keys: Record<Role, string>
  /** A key of Berta's, who is in organisation `bolt`, team `blue`. */
  berta: string
  send(method: string, path: string, key: string, body?: unknown): Promise<Said>
  /** With the master key. @throws where it is refused */
  manage(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  stop(): Promise<void>
}

export async function startWorld(more: Record<string, unknown> = {}): Promise<World> {
  const mock = await startMock({ words: 5 })
  const gateway = await startGateway({
    yaml: {
      model_list: [
        {
          model_name: 'm',
          litellm_params: {
            ...{ model: 'openai/m', api_base: `${mock.url}/v1`, api_key: 'sk-up' },
            ...{ input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
          },
        },
      ],
      ...more,
    },
  })
  const send: World['send'] = async (method, path, key, body) => {
    const reply = await fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await reply.text()
    const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true && text !== ''
    return { status: reply.status, text, json: isJson ? JSON.parse(text) : {} }
  }
  const manage: World['manage'] = async (method, path, body) => {
    const said = await send(method, path, gateway.masterKey, body)
    if (said.status !== 200) throw new Error(`${method} ${path}: ${said.status} ${said.text}`)
    return said.json
  }
  for (const [organization_id, team_id] of [
    ['acme', 'red'],
    ['bolt', 'blue'],
  ]) {
    await manage('POST', '/organization/new', { organization_id })
    await manage('POST', '/team/new', { team_id, organization_id })
  }
  const user = async (user_id: string, organization_id: string, user_role?: string) => {
    const made = await manage('POST', '/user/new', { user_id, organization_id, user_role })
    return made.key as string
  }
  const keys: Record<Role, string> = {
    proxy_admin: await user('peter', 'acme', 'proxy_admin'),
    proxy_admin_viewer: await user('vera', 'acme', 'proxy_admin_viewer'),
    org_admin: await user('oscar', 'acme'),
    team_admin: await user('tina', 'acme'),
    internal_user: await user('ida', 'acme', 'internal_user'),
    internal_user_viewer: await user('ivan', 'acme', 'internal_user_viewer'),
    customer: await makeKey(gateway),
  }
  const berta = await user('berta', 'bolt', 'internal_user')
  const members = { organization_id: 'acme', member: { user_id: 'oscar', role: 'org_admin' } }
  await manage('POST', '/organization/member_add', members)
  await manage('POST', '/team/member_add', {
    team_id: 'red',
    member: [
      { user_id: 'tina', role: 'admin' },
      { user_id: 'ida', role: 'user' },
      { user_id: 'ivan', role: 'user' },
    ],
  })
  await manage('POST', '/team/member_add', { team_id: 'blue', member: { user_id: 'berta', role: 'admin' } })
  return {
    ...{ mock, gateway, keys, berta, send, manage },
    async stop() {
      await gateway.stop()
      mock.stop()
    },
  }
}
