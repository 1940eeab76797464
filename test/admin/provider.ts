/** A real, certified OpenID provider (npm `oidc-provider`), and a browser that logs in there. */
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { freePort } from '../support/temp.ts'
import type { Browser, Said } from './world.ts'

export const CLIENT = { id: 'tollgate', secret: 'a secret of the client: with /+ signs that is long' }

export interface Account {
  email?: string
  email_verified?: boolean
  groups?: string[]
  amr?: string[]
}

export interface IdP {
  issuer: string
  accounts: Map<string, Account>
  stop(): Promise<void>
}

/** @param redirect where it may send browsers back to */
export async function startIdP(redirect: string): Promise<IdP> {
  const port = freePort()
  const issuer = `http://127.0.0.1:${port}`
  const accounts = new Map<string, Account>()
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirect] },
        ...{ grant_types: ['authorization_code'], response_types: ['code'], id_token_signed_response_alg: 'ES256' },
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'one', use: 'sig', alg: 'ES256' }] } as never,
    claims: { email: ['email', 'email_verified'], profile: ['groups'] },
    cookies: { keys: ['a key of the test'] },
    // Without PKCE nobody is let in.
    pkce: { required: () => true },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...accounts.get(sub) }) }),
  })
  const server = createServer(provider.callback())
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    ...{ issuer, accounts },
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** Goes to the provider, logs in there, agrees, and stands before the way back: the address that it was sent to. */
export async function throughIdP(browser: Browser, account: string, start = '/sso/start/keycloak'): Promise<string> {
  const begun = await browser.get(start)
  let to = begun.headers.get('location')
  if (begun.status !== 303 || to === null) throw new Error(`${begun.status} ${begun.text}`)
  const { origin } = new URL(to)
  const there = new Map<string, string>()
  for (let steps = 0; steps < 12; steps++) {
    if (!to.startsWith(origin)) return to
    const isPage = /\/interaction\/[^/]+$/.test(to)
    const prompt: string | undefined = isPage
      ? /name="prompt" value="(\w+)"/.exec(await page(to, there))?.[1]
      : undefined
    const body = prompt === 'login' ? { prompt, login: account, password: 'any' } : { prompt: prompt ?? '' }
    const reply: Response = await fetch(to, {
      method: isPage ? 'POST' : 'GET',
      redirect: 'manual',
      headers: cookies(there),
      ...(isPage ? { body: new URLSearchParams(body) } : {}),
    })
    keep(reply, there)
    const next: string | null = reply.headers.get('location')
    if (next === null) throw new Error(`${to}: ${reply.status} ${await reply.text()}`)
    to = new URL(next, to).href
  }
  throw new Error('The provider goes round in circles.')
}

const cookies = (jar: Map<string, string>) => ({ cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') })

function keep(reply: Response, jar: Map<string, string>): void {
  for (const line of reply.headers.getSetCookie()) {
    const pair = line.split(';')[0] as string
    jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
  }
}

async function page(url: string, jar: Map<string, string>): Promise<string> {
  const reply = await fetch(url, { headers: cookies(jar), redirect: 'manual' })
  keep(reply, jar)
  return reply.text()
}

/** The whole of it. */
export async function loginBySso(browser: Browser, account: string, start?: string): Promise<Said> {
  return browser.get(pathOf(await throughIdP(browser, account, start)))
}

export const pathOf = (url: string): string => new URL(url).pathname + new URL(url).search
