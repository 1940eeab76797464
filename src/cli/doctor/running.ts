/** What the running gateway says of itself, and whether it lets anybody in who has no key. */
import { error, type Finding, note, ok, warn } from './finding.ts'

const PATIENCE = 10_000
/** At one time: enough to be quick, and no storm. */
const AT_ONCE = 8
/** Routes that are tried with a wrong key. */
const WRONG = 6
const PAGE = 500

export interface Asked {
  status: number
  body: unknown
}

/** A request to it. @param key undefined: none is shown */
export type Ask = (method: string, path: string, key: string | undefined) => Promise<Asked | undefined>

export const askOf =
  (origin: string): Ask =>
  async (method, path, key) => {
    try {
      const reply = await fetch(origin + path, {
        method,
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
        redirect: 'manual',
        signal: AbortSignal.timeout(PATIENCE),
        // Who it is is looked at by the checks of TLS; here it is what lies behind.
        tls: { rejectUnauthorized: false },
      })
      const text = await reply.text()
      try {
        return { status: reply.status, body: JSON.parse(text) }
      } catch {
        return { status: reply.status, body: text }
      }
    } catch {
      return undefined
    }
  }

interface Operation {
  /** Empty: nobody is asked who he is (health, logging in). */
  security?: readonly unknown[]
}

/** With something in the place of each parameter; what says its action in the path has to have one. */
const filled = (path: string): string =>
  path
    .replace(/\/deployments\/\{path\}$/, '/deployments/x/chat/completions')
    .replace(/\/models\/\{path\}$/, '/models/x:generateContent')
    .replace(/\{\w+\}/g, 'x')

/** Walks all routes without a key and with one that is none: each but those that are open to all has to say 401. */
export async function routes(ask: Ask, masterKey: string): Promise<Finding[]> {
  const told = await ask('GET', '/openapi.json', masterKey)
  const paths = (told?.body as { paths?: Record<string, Record<string, Operation>> } | undefined)?.paths
  if (told?.status !== 200 || !paths)
    return [
      warn(
        'routes.unknown',
        'The table of routes could not be read.',
        'Nothing can be said of who may use them.',
        'name the address where it is managed with --url, and its master key with TOLLGATE_MASTER_KEY',
      ),
    ]
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation.security?.length === 0 ? [] : [{ method: method.toUpperCase(), path: filled(path) }],
    ),
  )
  const open: string[] = []
  let walked = 0
  // A wrong key on a few only: whoever guesses more has to wait, and that would be this address.
  const guessed = all.filter((_, i) => i % Math.ceil(all.length / WRONG) === 0)
  const queue = [
    ...all.map((route) => ({ ...route, key: undefined })),
    ...guessed.map((route) => ({ ...route, key: `sk-wrong-${crypto.randomUUID()}` })),
  ]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = queue.pop(); next; next = queue.pop()) {
        const said = await ask(next.method, next.path, next.key)
        if (!said) continue
        walked++
        // 429: this address guesses too much by now, which is no way in either.
        if (said.status !== 401 && said.status !== 429)
          open.push(`${next.method} ${next.path} (${said.status}${next.key ? ' with a wrong key' : ''})`)
      }
    }),
  )
  if (open.length > 0)
    return [
      error(
        'routes.open',
        `${open.length} of ${all.length} routes let in who has no key: ${open.slice(0, 10).join(', ')}${open.length > 10 ? ' …' : ''}`,
        'Anybody who reaches the address may use them.',
        'look for `ip` in tollgate.auth (docs/auth.md): `all: [{ ip: … }, { api_key: {} }]` asks for both; else for a proxy in front that adds a key',
      ),
    ]
  return [
    ok(
      'routes.closed',
      `${all.length} routes say 401 to whoever has no key, and to a wrong one (${walked} of ${all.length + guessed.length} requests were answered).`,
    ),
  ]
}

interface Key {
  key_alias: string | null
  key_name: string
  expires: string | null
  max_budget: number | null
  models: string[]
  user_id: string | null
  blocked: boolean
}

const some = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')

/** Keys, roles and budgets. */
export async function holders(ask: Ask, masterKey: string): Promise<Finding[]> {
  const found: Finding[] = []
  const listed = await ask('GET', `/key/list?return_full_object=true&size=${PAGE}`, masterKey)
  const keys = ((listed?.body as { keys?: Key[] } | undefined)?.keys ?? []).filter((key) => !key.blocked)
  const nameOf = (key: Key) => key.key_alias ?? key.key_name
  const endless = keys.filter((key) => key.expires === null).map(nameOf)
  found.push(
    endless.length === 0
      ? ok('keys.expiry', `All ${keys.length} keys expire.`)
      : warn(
          'keys.expiry',
          `${endless.length} of ${keys.length} keys never expire: ${some(endless)}.`,
          'A key that is lost and forgotten opens for ever.',
          'curl -X POST $TOLLGATE_URL/key/update -H "Authorization: Bearer $TOLLGATE_MASTER_KEY" -d \'{"key": "ALIAS", "duration": "90d"}\'; for new ones: litellm_settings.upperbound_key_generate_params: { duration: 90d }',
        ),
  )
  const unbounded = keys.filter((key) => key.max_budget === null).map(nameOf)
  const spent = (await ask('GET', '/global/spend', masterKey))?.body as { max_budget?: number | null } | undefined
  if (typeof spent?.max_budget === 'number')
    found.push(ok('budget.gateway', `The whole gateway may spend $${spent.max_budget} in its window.`))
  else
    found.push(
      warn(
        'budget.gateway',
        `Nothing bounds what the whole gateway spends${unbounded.length > 0 ? `, and ${unbounded.length} of ${keys.length} keys have no budget of their own: ${some(unbounded)}` : ''}.`,
        'One loop, or one stolen key, costs what the provider lets it cost.',
        'litellm_settings: { max_budget: 100, budget_duration: 1mo } in tollgate.yaml (docs/budgets.md)',
      ),
    )
  const users =
    (
      (await ask('GET', '/user/list?page_size=1000', masterKey))?.body as
        | { users?: { user_id: string; user_role: string | null }[] }
        | undefined
    )?.users ?? []
  const admins = users.filter((user) => user.user_role === 'proxy_admin').map((user) => user.user_id)
  found.push(
    admins.length > 3
      ? warn(
          'roles.admins',
          `${admins.length} users administer everything: ${some(admins)}.`,
          'Each of them is a way to all keys and budgets.',
          'make those who only look proxy_admin_viewer, and others team_admin or org_admin (docs/access.md): POST /user/update {"user_id": …, "user_role": "proxy_admin_viewer"}',
        )
      : ok(
          'roles.admins',
          `${admins.length} ${admins.length === 1 ? 'user administers' : 'users administer'} everything, beside the master key.`,
        ),
  )
  return found
}

/** What can't be seen, or is not there yet. It is said, so that nobody takes silence for health. */
export const unseen: readonly Finding[] = [
  note('log.redaction', 'The log holds no prompts, answers or keys; there is no setting that changes that.'),
  note(
    'backups.unknown',
    'When the data folder was last backed up is not known here. Was it within a day, and has it been brought back once for a try?',
    'The ledger, the keys and the pepper that opens them lie in one folder.',
    'sqlite3 DATA/tollgate.sqlite ".backup /backup/tollgate.sqlite" && cp -p DATA/pepper /backup/',
  ),
]
