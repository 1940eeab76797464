/** Proxies of the environment, by the names and rules that curl has: lower case wins, `NO_PROXY` lists who is asked directly. */

type Env = Readonly<Record<string, string | undefined>>

const named = (env: Env, name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined

/** Whether requests to this host go through a proxy. @param host in lower case, without brackets */
export function isProxied(env: Env, secure: boolean, host: string, port: string): boolean {
  if (!(named(env, secure ? 'https_proxy' : 'http_proxy') ?? named(env, 'all_proxy'))) return false
  const spared = (named(env, 'no_proxy') ?? '').split(',').map((entry) => entry.trim().toLowerCase())
  return !spared.some((entry) => entry === '*' || (entry !== '' && spares(entry, host, port)))
}

/** `.lan`, `lan` and `*.lan` spare `gpu1.lan`; `gpu1.lan:80` only at that port. */
function spares(entry: string, host: string, port: string): boolean {
  const [, name = entry, at] = /^(.*?)(?::(\d+))?$/.exec(entry.replace(/^\*?\./, '')) ?? []
  if (at !== undefined && at !== port) return false
  const bare = name.replace(/^\[|\]$/g, '')
  return host === bare || host.endsWith(`.${bare}`)
}
