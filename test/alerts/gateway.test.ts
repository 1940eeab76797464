/** Alerts of a running gateway: from what happens to what is delivered, and what is done until somebody looks. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { SMTPServer } from 'smtp-server'
import { type Mock, startMock } from '../mock/upstream.ts'
import { ask } from '../support/ask.ts'
import { makeKey } from '../support/books.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { makeTemp, removeTemp } from '../support/temp.ts'
import { runTollgate } from '../support/tollgate.ts'

interface Post {
  path: string
  headers: Headers
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies of five makers
  body: any
}

const posts: Post[] = []
/** Statuses that are answered first, by path. */
const trouble = new Map<string, number[]>()
const receiver = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  async fetch(request) {
    const path = new URL(request.url).pathname
    const text = await request.text()
    const status = trouble.get(path)?.shift()
    if (status !== undefined) return new Response('no', { status })
    posts.push({ path, headers: request.headers, text, body: JSON.parse(text) })
    return new Response(path === '/slack' ? 'ok' : null, { status: path === '/discord' ? 204 : 200 })
  },
})
const base = `http://127.0.0.1:${receiver.port}`

interface Mail {
  from: string
  to: string[]
  text: string
}
const mails: Mail[] = []
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onAuth: ({ username, password }, _, done) =>
    username === 'post' && password === 'very-secret-word' ? done(null, { user: username }) : done(new Error('no')),
  onData(stream, session, done) {
    let text = ''
    stream.on('data', (chunk) => {
      text += chunk
    })
    stream.on('end', () => {
      const { mailFrom, rcptTo } = session.envelope
      mails.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), text })
      done()
    })
  },
})

const SECRET = 'a-secret-of-sixteen-at-least'
let mock: Mock
let gateway: Gateway
let alerts: Record<string, unknown>

beforeAll(async () => {
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  const { port } = smtp.server.address() as { port: number }
  mock = await startMock({ words: 5 })
  alerts = {
    ...{ every: 0.1, group: 0.3, over: 1 },
    rules: {
      noisy: { condition: 'requests_per_hour > 20', severity: 'error', actions: ['block_key'] },
      eager: {
        condition: 'tokens_per_hour > 3000',
        severity: 'info',
        channels: ['hook'],
        actions: [{ lower_limit: { rpm: 2 } }],
      },
      cost_spike: 'hourly_cost > 100 * average',
      slow_target: false,
    },
    channels: [
      { type: 'slack', url: `${base}/slack` },
      { type: 'discord', url: `${base}/discord` },
      { type: 'teams', url: `${base}/teams` },
      { type: 'pagerduty', url: base, routing_key: 'routing-key-0123456789', severity: 'error' },
      { name: 'hook', type: 'webhook', url: `${base}/hook`, secret: SECRET },
      {
        ...{
          name: 'mail',
          type: 'email',
          host: '127.0.0.1',
          port,
          plain: true,
          user: 'post',
          password: 'very-secret-word',
        },
        ...{ from: 'tollgate@example.com', to: ['ops@example.com', 'on-call@example.com'], severity: 'warning' },
      },
    ],
  }
  gateway = await startGateway({ yaml: yamlWith({ alerts }) })
}, 60_000)
afterAll(async () => {
  await gateway?.stop()
  mock?.stop()
  receiver.stop(true)
  smtp.close()
})

const yamlWith = (tollgate: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  model_list: ['m', 'down'].map((name) => ({
    model_name: name,
    litellm_params: {
      ...{ model: `openai/${name}`, api_base: `${mock.url}/v1`, api_key: 'sk-up' },
      ...{ input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 },
    },
  })),
  router_settings: { num_retries: 0, cooldown_time: 2 },
  tollgate,
  ...more,
})

async function until<T>(what: () => T | undefined | false, ms = 8_000): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const found = what()
    if (found) return found
    if (Date.now() > end)
      throw new Error(
        `in vain; posted: ${posts.map(({ path, text }) => `${path} ${text}`).join('\n')}\n${gateway.logs().slice(-3_000)}`,
      )
    await Bun.sleep(20)
  }
}
const at = (path: string, word: string) => posts.filter((post) => post.path === path && post.text.includes(word))
const open = async () =>
  ((await (await gateway.call('GET', '/alerts')).json()) as { open: Record<string, unknown>[] }).open

test('a key that makes too many requests is blocked, all channels are told, and whoever looks lets it in again', async () => {
  const key = await makeKey(gateway, { key_alias: 'noisy-<!channel>' })
  for (let i = 0; i < 21; i++) expect((await ask(gateway, { model: 'm', key })).status).toBe(200)
  const hook = await until(() => at('/hook', 'noisy')[0])
  expect((await ask(gateway, { model: 'm', key })).status).toBe(401)
  expect(hook.body).toMatchObject({ rule: 'noisy', state: 'firing', severity: 'error', event_group: 'key' })
  expect(hook.body.alerts).toHaveLength(1)
  expect(hook.body.alerts[0]).toMatchObject({ actions: ['block_key'], limit: 20 })
  const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(hook.headers.get('x-tollgate-signature') ?? '') ?? []
  expect(createHmac('sha256', SECRET).update(`${t}.${hook.text}`).digest('hex')).toBe(v1 as string)

  const slack = await until(() => at('/slack', 'noisy')[0])
  expect(slack.body.text).toBe('[ERROR] noisy')
  expect(slack.body.attachments[0].blocks[0].text.text).toContain('the key is blocked')
  const discord = await until(() => at('/discord', 'noisy')[0])
  expect(discord.body).toMatchObject({ allowed_mentions: { parse: [] }, embeds: [{ title: '[ERROR] noisy' }] })
  const teams = await until(() => at('/teams', 'noisy')[0])
  expect(teams.body.attachments[0]).toMatchObject({
    contentType: 'application/vnd.microsoft.card.adaptive',
    content: { type: 'AdaptiveCard' },
  })
  const pager = await until(() => at('/v2/enqueue', 'noisy')[0])
  expect(pager.body).toMatchObject({
    ...{ routing_key: 'routing-key-0123456789', event_action: 'trigger' },
    payload: { severity: 'error', class: 'noisy' },
  })
  const mail = await until(() => mails.find(({ text }) => text.includes('noisy')))
  expect(mail).toMatchObject({ from: 'tollgate@example.com', to: ['ops@example.com', 'on-call@example.com'] })
  expect(mail.text).toContain('Subject: [ERROR] noisy')

  const [alert] = (await open()).filter(({ rule }) => rule === 'noisy')
  // It stands, though its condition does not: nobody has looked.
  await Bun.sleep(1_500)
  expect((await open()).some(({ id }) => id === alert?.id)).toBe(true)
  const looked = await gateway.call('POST', '/alerts/look', { id: alert?.id })
  expect(await looked.json()).toMatchObject({ looked: { by: 'master' }, actions: [] })
  expect((await ask(gateway, { model: 'm', key })).status).toBe(200)
}, 30_000)

test('a limit is lowered, and comes back as it was', async () => {
  const key = await makeKey(gateway, { rpm_limit: 50 })
  const limit = async () => {
    const info = (await (await gateway.call('GET', `/key/info?key=${key}`)).json()) as { info: { rpm_limit: number } }
    return info.info.rpm_limit
  }
  await ask(gateway, { model: 'm', key, text: 'word '.repeat(4_000) })
  const hook = await until(() => at('/hook', 'eager')[0])
  expect(hook.body.severity).toBe('info')
  expect(await limit()).toBe(2)
  // The rule names its channel: the others are not told.
  expect([...at('/slack', 'eager'), ...at('/v2/enqueue', 'eager')]).toEqual([])
  const [alert] = (await open()).filter(({ rule }) => rule === 'eager')
  await gateway.call('POST', '/alerts/look', { id: alert?.id })
  expect(await limit()).toBe(50)
}, 30_000)

test('failures to come in are counted by address: one message, and one when it is over', async () => {
  for (let i = 0; i < 12; i++) await ask(gateway, { model: 'm', key: 'sk-guessed-0000000000000' })
  const slack = await until(() => at('/slack', 'failed_auth')[0])
  expect(slack.body.attachments[0].blocks[0].text.text).toMatch(
    /address:127\.0\.0\.1: 1\d \(requests without a valid key/,
  )
  await Bun.sleep(600)
  expect(at('/slack', 'failed_auth').length).toBe(1)
  const found = (await open()).filter(({ rule }) => rule === 'failed_auth')
  expect(found).toHaveLength(1)
}, 30_000)

test('a target that is down is told, and that it is back', async () => {
  mock.plan('down', ['status:500', 'status:500', 'status:500', 'status:500', 'status:500', 'ok'])
  const yaml = yamlWith({ alerts: { ...alerts, rules: { target_down: { for: 0 } } } })
  const own = await startGateway({ yaml })
  for (let i = 0; i < 4; i++) await ask(own, { model: 'down' })
  const slack = await until(() => at('/slack', 'target_down')[0])
  expect(slack.body.attachments[0].blocks[0].text.text).toContain('target:openai/down: It cools down')
  const pager = await until(() => at('/v2/enqueue', 'target_down')[0])
  await until(() => at('/slack', '[RESOLVED] target_down')[0], 15_000)
  const resolved = await until(() =>
    at('/v2/enqueue', 'target_down').find(({ body }) => body.event_action === 'resolve'),
  )
  expect(resolved.body.dedup_key).toBe(pager.body.dedup_key)
  await own.stop()
}, 40_000)

test('budgets at their marks, soft ones too, and nothing of it in the way of a request', async () => {
  const key = await makeKey(gateway, { max_budget: 0.00006, soft_budget: 0.00001, key_alias: 'budgeted' })
  for (let i = 0; i < 4; i++) await ask(gateway, { model: 'm', key, more: { max_tokens: 5 } })
  const told = await until(() => {
    const all = posts.filter(({ path, body }) => path === '/hook' && body.rule === 'budget')
    return all.length > 0 && all
  })
  expect(told[0]?.body).toMatchObject({ event: 'threshold_crossed', event_group: 'key', state: 'firing' })
  expect(
    told
      .flatMap(({ body }) => body.alerts.map((alert: { subject: string }) => alert.subject))
      .some((s: string) => s.endsWith('(soft)')),
  ).toBe(true)
}, 30_000)

describe('channels', () => {
  test('one that fails is tried again, and one that refuses is not', async () => {
    trouble.set('/slack', [503, 500])
    trouble.set('/teams', [404, 404, 404])
    const before = at('/hook', 'noisy').length
    const key = await makeKey(gateway, { key_alias: 'tried-again' })
    for (let i = 0; i < 21; i++) await ask(gateway, { model: 'm', key })
    const id = await until(() => at('/hook', 'noisy')[before]?.body.token as string | undefined)
    // After one second, and five more.
    await until(() => at('/slack', id)[0], 15_000)
    expect(trouble.get('/slack')).toEqual([])
    // Had it been tried again, it would have been refused once more.
    const refused = gateway
      .logs()
      .split('\n')
      .filter((line) => /could not be delivered/.test(line) && line.includes(id))
    expect(refused).toHaveLength(1)
    expect(at('/teams', id)).toEqual([])
    await until(() => /could not be delivered.*teams.*status 404/.test(gateway.logs()))
    trouble.clear()
  }, 30_000)

  test('a test of each, by the gateway and by the command line', async () => {
    const told = (await (await gateway.call('POST', '/alerts/test', {})).json()) as { ok: boolean; channels: unknown[] }
    expect(told.ok).toBe(true)
    expect(told.channels).toHaveLength(6)
    trouble.set('/teams', [403])
    const one = await gateway.call('POST', '/alerts/test', { channel: 'teams' })
    expect(await one.json()).toEqual({
      ok: false,
      channels: [{ channel: 'teams', kind: 'teams', ok: false, told: 'It answered with status 403.' }],
    })
    expect((await gateway.call('POST', '/alerts/test', { channel: 'nobody' })).status).toBe(404)
    posts.length = 0
    const run = await runTollgate(['alerts', 'test', '--config', gateway.configFile], {})
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.out.trim().split('\n')).toHaveLength(6)
    expect(posts.map(({ path }) => path).sort()).toEqual(['/discord', '/hook', '/slack', '/teams', '/v2/enqueue'])
    expect(posts.every(({ text }) => text.includes('This is a test'))).toBe(true)
  }, 30_000)

  test('their secrets are in no log and no answer', async () => {
    const shown = await (await gateway.call('GET', '/alerts')).text()
    for (const word of [SECRET, 'very-secret-word', 'routing-key-0123456789']) {
      expect(gateway.logs()).not.toContain(word)
      expect(shown).not.toContain(word)
    }
  })
})

test('what is silenced is not told, and stands in the list all the same', async () => {
  const made = await gateway.call('POST', '/alerts/silences', { rule: 'noisy', hours: 1, comment: 'load test' })
  const silence = (await made.json()) as { id: string; by: string }
  expect(silence.by).toBe('master')
  const key = await makeKey(gateway)
  const before = at('/hook', 'noisy').length
  for (let i = 0; i < 22; i++) await ask(gateway, { model: 'm', key })
  await Bun.sleep(1_000)
  const info = (await (await gateway.call('GET', `/key/info?key=${key}`)).json()) as {
    key: string
    info: { blocked: boolean }
  }
  expect(info.info.blocked).toBe(true)
  expect((await open()).some(({ rule, actions }) => rule === 'noisy' && (actions as unknown[]).length === 1)).toBe(true)
  expect(at('/hook', 'noisy').length).toBe(before)
  expect((await gateway.call('DELETE', `/alerts/silences/${silence.id}`)).status).toBe(200)
  expect(await (await gateway.call('GET', '/alerts/silences')).json()).toEqual({ silences: [] })
}, 30_000)

test('only the operator may', async () => {
  const key = await makeKey(gateway)
  for (const [method, path] of [
    ['GET', '/alerts'],
    ['POST', '/alerts/test'],
    ['POST', '/alerts/look'],
    ['POST', '/alerts/silences'],
  ] as const) {
    const reply = await fetch(gateway.url + path, { method, headers: { authorization: `Bearer ${key}` } })
    expect([path, reply.status]).toEqual([path, 403])
  }
})

test('what holds at a stop still holds at the next start, and is told once', async () => {
  const dataDir = makeTemp('alerts')
  const yaml = yamlWith({ alerts: { ...alerts, over: 3_600 } })
  const first = await startGateway({ yaml, dataDir })
  for (let i = 0; i < 12; i++) await ask(first, { model: 'm', key: 'sk-guessed-0000000000000' })
  const before = at('/hook', 'failed_auth').length
  await until(() => at('/hook', 'failed_auth').length > before)
  await first.stop()
  const told = at('/hook', 'failed_auth').length
  const second = await startGateway({ yaml, dataDir })
  const { open: still } = (await (await second.call('GET', '/alerts')).json()) as { open: { rule: string }[] }
  expect(still.map(({ rule }) => rule)).toContain('failed_auth')
  await Bun.sleep(700)
  expect(at('/hook', 'failed_auth').length).toBe(told)
  const replay = await runTollgate(['alerts', 'replay', '--data', dataDir, '--config', second.configFile], {})
  expect(replay.err).toBe('')
  expect(replay.out).toContain('failed_auth')
  expect(replay.out).toMatch(/1 alert\.$/m)
  expect(replay.code).toBe(0)
  await second.stop()
  removeTemp(dataDir)
}, 60_000)

test("LiteLLM's words: alerting, alert_types, alert_to_webhook_url", async () => {
  const own = await startGateway({
    yaml: {
      ...yamlWith({ alerts: { every: 0.1, group: 0.1 } }),
      general_settings: {
        ...{ alerting: ['slack', 'webhook'], alerting_threshold: 100, alerting_args: { budget_alert_ttl: 60 } },
        alert_types: ['llm_exceptions', 'budget_alerts', 'cooldown_deployment'],
        alert_to_webhook_url: { cooldown_deployment: [`${base}/cooldown`] },
      },
    },
    env: { SLACK_WEBHOOK_URL: `${base}/litellm-slack`, WEBHOOK_URL: `${base}/litellm-hook` },
  })
  const { rules, channels } = (await (await own.call('GET', '/alerts')).json()) as {
    rules: { name: string }[]
    channels: { name: string; kind: string }[]
  }
  expect(channels).toEqual([
    { name: 'slack', kind: 'slack' },
    { name: 'webhook', kind: 'webhook' },
    { name: 'cooldown_deployment', kind: 'slack' },
  ])
  const names = rules.map(({ name }) => name)
  expect(names).toContain('target_down')
  expect(names).not.toContain('disk')
  for (let i = 0; i < 12; i++) await ask(own, { model: 'm', key: 'sk-guessed-0000000000000' })
  await until(() => posts.find(({ path, text }) => path === '/litellm-slack' && text.includes('failed_auth')))
  await until(() => posts.find(({ path, text }) => path === '/litellm-hook' && text.includes('failed_auth')))
  await own.stop()
}, 40_000)
