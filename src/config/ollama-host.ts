/** Where Ollama is, as its own variable says it. */

/**
 * `OLLAMA_HOST` as Ollama reads it (envconfig.Host): `host`, `host:port`, `:port`, with or without a scheme; https
 * means port 443 and http port 80 where the scheme stands without a port. An address to listen on (0.0.0.0, ::) is
 * reached at the loopback.
 */
export function ollamaOrigin(said: string | undefined): string {
  const text = (said ?? '').trim().replace(/^["']|["']$/g, '')
  const [, scheme = '', rest = ''] = /^(?:(https?):\/\/)?(.*)$/i.exec(text) ?? []
  const [, authority = '', path = ''] = /^([^/]*)(.*)$/.exec(rest) ?? []
  const [, bracketed, plain = '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(authority) ?? [
    undefined,
    authority,
  ]
  const v6 = bracketed ?? (plain.includes(':') ? plain : undefined)
  const host = v6 === undefined ? plain : `[${v6}]`
  const secure = scheme.toLowerCase() === 'https'
  const usual = secure ? 443 : scheme === '' ? 11434 : 80
  const number = port === '' || Number(port) > 65_535 ? usual : Number(port)
  const name = host === '' || host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host
  return `${secure ? 'https' : 'http'}://${name}:${number}${path.replace(/\/+$/, '')}`
}
