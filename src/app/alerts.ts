/** The alerts of a gateway: what they look at in the house, where they are told, and what they may do to keys. */
import { randomBytes } from 'node:crypto'
import { statfsSync } from 'node:fs'
import type { Keyring } from '../admin/keyring.ts'
import type { Channel, Sending } from '../alerts/channel.ts'
import { discord, slack, teams } from '../alerts/channels/chat.ts'
import { email } from '../alerts/channels/email.ts'
import { pagerduty } from '../alerts/channels/pagerduty.ts'
import { webhook } from '../alerts/channels/webhook.ts'
import { AlertDesk, testMessage } from '../alerts/desk.ts'
import { blockedIn, endedAs, type Sample, type State } from '../alerts/sample.ts'
import { testAll } from '../alerts/teller.ts'
import { Watch } from '../alerts/watch.ts'
import type { AlertsConfig, ChannelConfig } from '../config/alerts.ts'
import type { Tested } from '../config/start.ts'
import type { Done } from '../core/alert/lifecycle.ts'
import type { Action } from '../core/alert/rule.ts'
import { isOpen } from '../core/breaker.ts'
import type { Account } from '../core/ledger.ts'
import type { Limits } from '../core/limits.ts'
import { toDollars } from '../core/money.ts'
import type { TargetState } from '../core/state.ts'
import type { Target } from '../core/target.ts'
import type { RequestLog } from '../pipeline/io.ts'
import { Secret } from '../secrets/secret.ts'
import { AlertStore } from '../store/alerts.ts'
import type { Store } from '../store/open.ts'
import type { Ways } from '../upstream/way-out.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** What takes a while to look at is looked at this often, ms. */
const SELDOM_MS = 30_000
/** Keys that end later are not looked at, ms. */
const KEYS_WITHIN_MS = 90 * DAY_MS

interface House {
  store: Store
  dataDir: string
  links(): readonly { target: Target }[]
  stateOf(target: Target): TargetState
  /** Brings the states of these up to date. */
  refresh(targets: readonly Target[], now: number): void
  ring: Keyring
  /** ms since the epoch at which the certificate ends, and its names; undefined: there is none. */
  certificate(): { names: string; validTo: number } | undefined
  /** Requests without an answer for longer than `ms`. */
  hanging(ms: number, now: number): number
  url(): string | undefined
  fetch: Sending['fetch']
  now(): number
  warn(message: string, facts: Readonly<Record<string, unknown>>): void
}

export interface Alerts {
  desk: AlertDesk
  see(line: RequestLog): void
  /** Somebody at this address did not come in. */
  failedAuth(address: string): void
  crossed(account: Account): void
  leaked(request: string): void
  writeFailed(told: string): void
  auditGap(told: string): void
}

export function startAlerts(config: AlertsConfig, house: House): Alerts {
  const { now } = house
  const sending: Sending = { fetch: house.fetch, now }
  const watch = new Watch(config.rules, config.slowMs)
  const budgets = new Set<Account>()
  /** Aliases whose price nobody knows → when they were asked last. */
  const unpriced = new Map<string, number>()
  let seldom: { at: number; states: State[] } = { at: Number.NEGATIVE_INFINITY, states: [] }
  const states = (at: number): State[] => {
    if (at - seldom.at >= SELDOM_MS)
      seldom = { at, states: [...keyStates(house, at), ...diskStates(house), ...certificateStates(house, at)] }
    const hanging = house.hanging(config.slowMs, at)
    return [
      ...targetStates(house, at),
      ...budgetStates(budgets, at),
      ...seldom.states,
      ...[...unpriced]
        .filter(([, asked]) => at - asked < HOUR_MS)
        .map(
          ([alias]): State => ({
            ...{ metric: 'price_unknown', subject: `model:${alias}`, value: 1 },
            text: 'It is asked, and nobody knows its price: it can bound no budget. Say it in litellm_params.',
          }),
        ),
      ...(hanging > 0
        ? [
            {
              metric: 'requests_hanging',
              subject: 'gateway',
              value: hanging,
              text: `${hanging} requests have no answer for ${config.slowMs / 1_000} s.`,
            } as const,
          ]
        : []),
    ]
  }
  const desk = new AlertDesk(
    watch,
    config.channels.map((one) => ({ channel: channelOf(one, sending), from: one.severity })),
    new AlertStore(house.store),
    config,
    {
      ...house,
      id: () => `al_${randomBytes(9).toString('base64url')}`,
      states,
      act: (action, subject) => act(house.ring, action, subject),
      undo: (done, subject) => undo(house.ring, done, subject),
    },
  )
  return {
    desk,
    see(line) {
      if (line.own !== undefined) return
      if (line.outcome === 'unpriced_model' && line.alias !== undefined) unpriced.set(line.alias, now())
      watch.request(sampleOf(line, now()))
    },
    failedAuth: (address) => watch.failedAuth(address, now()),
    crossed: (account) => budgets.add(account),
    leaked: (request) =>
      watch.event('hold_leaks', 'gateway', `The hold of ${request} was forgotten; it was charged.`, now()),
    auditGap: (told) => watch.event('audit_gap', 'gateway', `${told} See: tollgate audit verify.`, now()),
    writeFailed: (told) => watch.event('write_failed', 'gateway', `The ledger could not be written: ${told}`, now()),
  }
}

function sampleOf(line: RequestLog, at: number): Sample {
  const { payer, status, outcome } = line
  return {
    at,
    key: line.keyId ?? (line.who?.way === 'master' ? 'master' : undefined),
    user: payer.user,
    team: payer.team,
    project: payer.project,
    address: line.ip,
    // What nobody has is anybody's to make up.
    model: outcome === 'model_not_found' ? undefined : line.alias,
    tokens: line.inputTokens + line.outputTokens,
    cost: line.costNano,
    totalMs: line.totalMs,
    ended: endedAs(status, outcome),
    blockedBy: blockedIn(line.guardrails),
  }
}

function* targetStates({ links, stateOf, refresh }: House, now: number): Generator<State> {
  refresh(
    links().map(({ target }) => target),
    now,
  )
  for (const { target } of links()) {
    const state = stateOf(target)
    const subject = `target:${target.provider}/${target.model}`
    if (state.down || isOpen(state.breaker, now))
      yield {
        metric: 'target_down',
        subject,
        value: 1,
        text: state.down ? 'Its machine is gone.' : `It cools down: ${state.breaker.reason}.`,
      }
    if (state.spilled)
      yield {
        metric: 'gpu_spilled',
        subject,
        value: 1,
        text: 'Its model does not lie on the GPU as a whole, and answers slowly.',
      }
    if (state.pace.isKnown(now))
      yield {
        metric: 'target_first_ms',
        subject,
        value: state.pace.firstMs,
        text: `It takes ${Math.round(state.pace.firstMs)} ms to its first content.`,
      }
  }
}

function* budgetStates(crossed: Set<Account>, now: number): Generator<State> {
  for (const account of crossed) {
    const { scope, budget, limit, spent, window } = account
    if (account.closed || window.end <= now) {
      crossed.delete(account)
      continue
    }
    const subject = budget.model === undefined ? scope : `${scope} model:${budget.model}`
    const said = (of: number) =>
      `$${toDollars(spent)} of $${toDollars(of)} are spent${window.end === Number.POSITIVE_INFINITY ? '' : `, until ${new Date(window.end).toISOString()}`}.`
    if (Number.isFinite(limit) && limit > 0)
      yield { metric: 'budget_used', subject, value: spent / limit, text: said(limit) }
    const { soft } = budget
    if (soft !== undefined && soft > 0)
      yield { metric: 'budget_used', subject: `${subject} (soft)`, value: spent / soft, text: said(soft) }
  }
}

function* keyStates({ ring }: House, now: number): Generator<State> {
  for (const key of ring.all()) {
    if (key.expiresAt === undefined || key.blocked) continue
    const left = key.expiresAt - now
    if (left <= 0 || left > KEYS_WITHIN_MS) continue
    const name = key.name === undefined ? '' : `'${key.name}' `
    yield {
      metric: 'key_days',
      subject: `key:${key.id}`,
      value: left / DAY_MS,
      text: `The key ${name}ends ${new Date(key.expiresAt).toISOString()}.`,
    }
  }
}

function* diskStates({ dataDir, warn }: House): Generator<State> {
  try {
    const { bavail, blocks } = statfsSync(dataDir)
    const free = blocks > 0 ? bavail / blocks : 1
    yield {
      metric: 'disk_free',
      subject: 'gateway',
      value: free,
      text: `${Math.round(free * 100)} % of the disk of the data folder are free.`,
    }
  } catch (cause) {
    warn('The free space of the disk could not be read.', { told: String(cause) })
  }
}

function* certificateStates({ certificate }: House, now: number): Generator<State> {
  const held = certificate()
  if (!held) return
  const text = `The certificate of ${held.names} ends ${new Date(held.validTo).toISOString()}.`
  yield {
    metric: 'certificate_days',
    subject: `certificate:${held.names}`,
    value: (held.validTo - now) / DAY_MS,
    text,
  }
}

export function channelOf({ name, said }: ChannelConfig, sending: Sending): Channel {
  switch (said.type) {
    case 'slack':
      return slack(name, new Secret(said.url), sending)
    case 'discord':
      return discord(name, new Secret(said.url), sending)
    case 'teams':
      return teams(name, new Secret(said.url), sending)
    case 'webhook':
      return webhook(
        name,
        new Secret(said.url),
        said.secret === undefined ? undefined : new Secret(said.secret),
        sending,
      )
    case 'pagerduty':
      return pagerduty(name, new Secret(said.routing_key), said.url, sending)
    case 'email':
      return email(name, {
        ...said,
        user: said.user,
        password: said.password === undefined ? undefined : new Secret(said.password),
      })
  }
}

/** Tests of channels without a gateway. */
export function testChannels(
  channels: readonly ChannelConfig[],
  ways: Ways,
  name: string | undefined,
): Promise<Tested[]> {
  const now = () => Date.now()
  const sending: Sending = { now, fetch: (url, init) => ways.of(new URL(url).origin, true).fetch(url, init) }
  const wanted = channels.filter((one) => name === undefined || one.name === name)
  return testAll(
    wanted.map((one) => channelOf(one, sending)),
    testMessage(now(), undefined),
  )
}

const keyIn = (subject: string): string => subject.replace(/^key:/, '')

function act(ring: Keyring, action: Action, subject: string): Done['before'] | undefined {
  const key = ring.get(keyIn(subject))
  if (!key) return undefined
  if (action.kind === 'block_key') {
    if (key.blocked) return undefined
    ring.update(key, { blocked: true })
    return { blocked: false }
  }
  const { rpm } = key.limits
  if (rpm !== undefined && rpm <= action.rpm) return undefined
  ring.update(key, { limits: { ...key.limits, rpm: action.rpm } })
  return { rpm: rpm ?? null }
}

/** Only what is still as the alert left it: what somebody has changed since is his. */
function undo(ring: Keyring, { action, before }: Done, subject: string): void {
  const key = ring.get(keyIn(subject))
  if (!key) return
  if (action.kind === 'block_key') {
    if (key.blocked) ring.update(key, { blocked: false })
  } else if (key.limits.rpm === action.rpm) {
    const limits: Limits = { ...key.limits, rpm: typeof before.rpm === 'number' ? before.rpm : undefined }
    ring.update(key, { limits })
  }
}
