/** A gateway, and browsers that log in to it. */
import { Secret, TOTP } from 'otpauth'
import { type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts'

export const PASSWORD = 'correct horse battery staple'

export interface Said {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever a route tells; each test says what it expects
  json: any
  text: string
  headers: Headers
}

/** As a browser: keeps cookies, and sends what a browser sends with requests of the gateway's own pages. */
export class Browser {
  readonly url: string
  readonly jar = new Map<string, string>()
  token = ''
  /** Sent along with each request; another test may pretend to be another site. */
  headers: Record<string, string> = {}

  constructor(url: string) {
    this.url = url
  }

  get origin(): string {
    return this.url
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Said> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await fetch(path.startsWith('http') ? path : this.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(cookie ? { cookie } : {}),
        ...(method === 'GET'
          ? {}
          : { 'content-type': 'application/json', origin: this.origin, 'sec-fetch-site': 'same-origin' }),
        ...(this.token && method !== 'GET' ? { 'x-csrf-token': this.token } : {}),
        ...this.headers,
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    for (const line of reply.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      if (/Max-Age=0\b/.test(line)) this.jar.delete(pair.slice(0, at))
      else this.jar.set(pair.slice(0, at), pair.slice(at + 1))
    }
    const text = await reply.text()
    const isJson = reply.headers.get('content-type')?.startsWith('application/json') === true
    const json = isJson && text ? JSON.parse(text) : {}
    if (typeof json.csrf_token === 'string') this.token = json.csrf_token
    return { status: reply.status, json, text, headers: reply.headers }
  }

  get session(): string | undefined {
    return this.jar.get('__Host-tollgate')
  }

  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Said> {
    return this.ask('POST', path, body, headers)
  }

  get(path: string): Promise<Said> {
    return this.ask('GET', path)
  }

  login(username: string, more: Record<string, unknown> = {}): Promise<Said> {
    return this.post('/login', { username, password: PASSWORD, ...more })
  }
}

export interface World {
  gateway: Gateway
  browser(): Browser
  /** With the master key. @throws where it is refused */
  manage(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  /** A user with `PASSWORD`. */
  user(id: string, role?: string): Promise<void>
  /** A browser in which he is logged in. */
  loggedIn(id: string, more?: Record<string, unknown>): Promise<Browser>
  stop(): Promise<void>
}

export async function startWorld(tollgate: Record<string, unknown> = {}, options: GatewayOptions = {}): Promise<World> {
  const gateway = await startGateway({
    yaml: {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'openai/m', api_key: 'sk-up', api_base: 'http://127.0.0.1:9/v1' } },
      ],
      tollgate,
    },
    ...options,
  })
  const manage: World['manage'] = async (method, path, body) => {
    const reply = await gateway.call(method, path, body)
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
    return JSON.parse(text)
  }
  const browser = () => new Browser(gateway.url)
  return {
    ...{ gateway, manage, browser },
    async user(user_id, user_role = 'internal_user') {
      await manage('POST', '/user/new', { user_id, user_role, auto_create_key: false })
      await manage('POST', '/user/password', { user_id, password: PASSWORD })
    },
    async loggedIn(id, more) {
      const one = browser()
      const said = await one.login(id, more)
      if (said.status !== 200) throw new Error(`${id}: ${said.status} ${said.text}`)
      return one
    },
    stop: () => gateway.stop(),
  }
}

/** What an authenticator app shows, so many steps from now. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 })

/** Sets an authenticator app up by the code of the step before, so that those of now are left. @returns its secret, and recovery codes */
export async function setUpTotp(browser: Browser): Promise<{ secret: string; codes: string[] }> {
  const begun = await browser.post('/session/totp/new')
  const said = await browser.post('/session/totp/confirm', {
    ticket: begun.json.ticket,
    code: codeOf(begun.json.secret, -1),
  })
  if (said.status !== 200) throw new Error(said.text)
  return { secret: begun.json.secret, codes: said.json.recovery_codes }
}
