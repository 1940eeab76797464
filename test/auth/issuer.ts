/** An issuer of tokens with keys of its own, which does what a test says: signs, rotates, goes away. */
import { exportJWK, exportSPKI, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'

export interface Issuer {
  url: string
  jwks: string
  /** How often the keys were asked for. */
  asked: number
  /** What is answered in place of the keys; undefined: the keys. */
  broken: { status: number; text: string } | undefined
  /** The public key as PEM, which everybody can have. */
  publicPem: string
  sign(claims?: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>
  /** A new key; the old one is gone from the set. */
  rotate(): Promise<void>
  stop(): void
}

export async function startIssuer(audience = 'llm'): Promise<Issuer> {
  let n = 0
  let pair = await generateKeyPair('RS256', { extractable: true })
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request: Request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/.well-known/openid-configuration')
        return Response.json({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` })
      if (pathname !== '/jwks') return new Response('', { status: 404 })
      issuer.asked++
      if (issuer.broken) return new Response(issuer.broken.text, { status: issuer.broken.status })
      return Response.json({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: `k${n}`, alg: 'RS256', use: 'sig' }] })
    },
  })
  const url = `http://127.0.0.1:${server.port}`
  const issuer: Issuer = {
    ...{ url, jwks: `${url}/jwks`, asked: 0, broken: undefined },
    publicPem: await exportSPKI(pair.publicKey),
    sign: (claims = {}, header = {}) => {
      const now = Math.floor(Date.now() / 1000)
      const all = { iss: url, aud: audience, sub: 'ada', iat: now, exp: now + 600, ...claims }
      return new SignJWT(JSON.parse(JSON.stringify(all)))
        .setProtectedHeader({ alg: 'RS256', kid: `k${n}`, ...header })
        .sign(pair.privateKey)
    },
    async rotate() {
      pair = await generateKeyPair('RS256', { extractable: true })
      n++
    },
    stop: () => void server.stop(true),
  }
  return issuer
}
