/** To an identity provider and back. */
import { dialects } from '../../dialects/index.ts'
import type { OpenRoute } from '../route.ts'
import type { LoginDesk } from './desk.ts'
import { fromOf } from './tell.ts'

const HTML = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export function ssoRoutes(desk: LoginDesk): OpenRoute[] {
  const { login, sso } = desk
  const open = (path: string, run: OpenRoute['open']): OpenRoute => ({
    ...{ method: 'GET', path, dialect: dialects['openai-chat'], open: run },
  })
  return [
    open('/sso/start/:id', async ({ params, url }) => {
      const { url: location, cookie } = await sso.start(params.id ?? '', url.searchParams.get('return_to'))
      return new Response(null, {
        status: 303,
        headers: { location, 'set-cookie': cookie, 'cache-control': 'no-store' },
      })
    }),
    open('/sso/callback', async ({ request }) => {
      const { userId, id, mfa, returnTo } = await sso.finish(request)
      const secret = login.bySso(userId, id, mfa, fromOf(desk, request))
      login.endOld(request, secret)
      desk.info('Somebody logged in by SSO.', { user: userId, provider: id })
      const headers = new Headers(HTML)
      headers.append('set-cookie', desk.cookie(secret, desk.longestMs / 1000))
      headers.append('set-cookie', sso.over)
      // A page, and no redirect: a browser that another site sent here brings no strict cookie along on the way on.
      return new Response(landing(returnTo), { headers })
    }),
  ]
}

const landing = (path: string): string => {
  const to = path.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${to}"><title>Tollgate</title><a href="${to}">You are logged in.</a>\n`
}
