/** A gateway with ways in of its own, before a mock. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Mock, startMock } from '../mock/upstream.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'

export interface World {
  mock: Mock
  gateway: Gateway
  /** A folder for files of passwords and keys. */
  folder: string
  write(name: string, text: string): string
  /** Who is let in with these headers: by `/auth/validate`. */
  who(headers: Record<string, string>, query?: string): Promise<Who>
  /** A chat with model `m`. */
  chat(headers: Record<string, string>, model?: string): Promise<number>
  stop(): Promise<void>
}

export interface Who {
  status: number
  /** Audit's name, or the error's code. */
  name: string
  role: string | null
  user: string | null
  team: string | null
  message: string
  headers: Headers
}

export const basic = (name: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})
export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** @param settings of `tollgate`, made when the folder is there */
export async function startWorld(
  settings: (write: World['write']) => Record<string, unknown>,
  more: Record<string, unknown> = {},
  env: Record<string, string> = {},
): Promise<World> {
  const folder = makeTemp('auth')
  const write = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const mock = await startMock({ words: 3 })
  const model = (name: string) => ({
    model_name: name,
    litellm_params: { model: `openai/${name}`, api_base: `${mock.url}/v1`, api_key: 'sk-up' },
  })
  const yaml = { model_list: [model('m'), model('other')], tollgate: settings(write), ...more }
  const gateway = await startGateway({ yaml, env }).catch((cause) => {
    mock.stop()
    removeTemp(folder)
    throw cause
  })
  return {
    ...{ mock, gateway, folder, write },
    async who(headers, query = '') {
      const reply = await fetch(`${gateway.url}/auth/validate${query}`, { headers })
      const text = await reply.text()
      const error = text === '' ? undefined : (JSON.parse(text) as { error: { code: string; message: string } }).error
      const said = (name: string) => reply.headers.get(`x-auth-${name}`)
      return {
        ...{ status: reply.status, name: error?.code ?? (said('name') as string), role: said('role') },
        ...{ user: said('user'), team: said('team'), message: error?.message ?? '', headers: reply.headers },
      }
    },
    async chat(headers, name = 'm') {
      const body = JSON.stringify({ model: name, messages: [{ role: 'user', content: 'Hi' }] })
      const reply = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body, headers })
      await reply.text()
      return reply.status
    },
    async stop() {
      await gateway.stop()
      mock.stop()
      removeTemp(folder)
    },
  }
}
