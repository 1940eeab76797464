import { type Checked, type Exceeded, leftOf, takeLimits } from '../core/limit.ts'
import type { Limits } from '../core/limits.ts'
import { Refusal } from '../core/refusal.ts'
import { GATEWAY, readScope, spokenScope } from '../core/scope.ts'
import { dayAt, startOfDay } from '../core/zone.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { wantedOf } from './wanted.ts'

/** Tokens that a request counts as before anybody has counted it: bytes ÷ 4 and a usual answer. */
const guessTokens = (call: Call): number => {
  const { input, output } = wantedOf(call)
  return input + output
}

/** `generation` makes something; everything else (files, lists, counting) is `other`. */
export type RouteClass = 'generation' | 'other'

/**
 * Takes the limits of all who pay, of the model, the address, the class of the route and the gateway in one step, or none.
 * @returns what has to be waited for, where requests are spaced and wait for their turn
 * @throws Refusal rate_limit_exceeded, client_closed
 */
export function limit(call: Call, io: Io, route: RouteClass): Promise<void> | undefined {
  const checked = limitsOf(call, io, route)
  if (checked.length === 0) return undefined
  call.limits = checked
  const now = io.now()
  const taken = takeLimits(checked, guessTokens(call), now, todayOf(call, now))
  if ('what' in taken) throw tooMany(taken)
  call.taken = taken
  return taken.waitMs > 0 ? turn(call, taken.waitMs) : undefined
}

/** Its turn comes; a caller who leaves meanwhile has used it up. */
function turn({ leaving: signal }: Call, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', left)
    }
    const left = () => {
      end()
      reject(new Refusal('client_closed', 'The caller left while waiting for its turn.'))
    }
    const timer = setTimeout(() => {
      end()
      resolve()
    }, ms)
    if (signal.aborted) left()
    else signal.addEventListener('abort', left, { once: true })
  })
}

function limitsOf(call: Call, io: Io, route: RouteClass): Checked[] {
  const checked: Checked[] = []
  const alias = call.stages[0]?.alias
  const add = (scope: string, limits: Limits | undefined, isShared = false) => {
    if (!limits) return
    const { parts } = call.snapshot.limits
    const sharing = isShared && parts ? { priority: priorityOf(call), parts } : undefined
    checked.push({ scope, limits, counters: countersOf(io, call, scope, limits), sharing })
  }
  for (const { scope, limits } of io.payers.limits(call.payer)) {
    add(scope, limits)
    if (alias === undefined) continue
    const [rpm, tpm] = [limits.rpmOf?.[alias], limits.tpmOf?.[alias]]
    if (rpm !== undefined || tpm !== undefined) add(`${scope} model:${alias}`, { rpm, tpm })
  }
  const { gateway, ip, routes, models } = call.snapshot.limits
  if (alias !== undefined) add(`model:${alias}`, models.get(alias), true)
  if (ip) add(`ip:${io.ipOf(call.request) ?? 'unknown'}`, ip)
  add(`route:${route}`, routes[route])
  add(GATEWAY, gateway, true)
  return checked
}

/** A day's count begins with what the ledger knows of it: a restart does not give the day back. */
function countersOf(io: Io, call: Call, scope: string, { rpd }: Limits) {
  const counters = io.counters(scope)
  if (rpd === undefined || counters.day >= 0) return counters
  const { day } = todayOf(call, io.now())
  return Object.assign(counters, { day, ofDay: io.requestsOn(scope, day) })
}

function todayOf({ snapshot }: Call, now: number) {
  const { zone } = snapshot.route
  const day = dayAt(zone, now)
  return { day, end: startOfDay(zone, day + 1) }
}

/** As LiteLLM has it: of the key. */
function priorityOf({ who }: Call): string {
  const said = who?.key?.metadata.priority
  return typeof said === 'string' ? said : 'default'
}

function tooMany({ scope, what, used, max, retryAfterMs, priority }: Exceeded): Refusal {
  const { kind, id } = readScope(scope)
  const within = { requests: ' in the last minute', tokens: ' in the last minute', 'parallel requests': ' at once' }
  const part = priority === undefined ? '' : ` (the part of priority '${priority}')`
  return new Refusal(
    'rate_limit_exceeded',
    `Rate limit exceeded for ${spoken(scope)}: ${used} of ${max} ${what}${within[what as 'tokens'] ?? ''}${part}. ` +
      `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    {
      retryAfterMs,
      facts: { scope, entity_type: kind, entity_id: id, limit: what, used, max, reset_in_ms: Math.ceil(retryAfterMs) },
    },
  )
}

function spoken(scope: string): string {
  const [whose = '', model] = scope.split(' model:')
  const { kind, id } = readScope(whose)
  const name =
    kind === 'key'
      ? 'this API key'
      : whose.startsWith('ip:')
        ? `the address ${id}`
        : whose.startsWith('route:')
          ? `${id} routes`
          : spokenScope(whose)
  return model === undefined ? name : `${name} and the model '${model}'`
}

/** OpenAI's words for what is left, Anthropic's for its callers. Of the tightest limit of each kind. */
export function limitHeaders(headers: Record<string, string>, call: Call, now: number): void {
  if (call.limits.length === 0) return
  const isAnthropic = call.door.dialect.id === 'anthropic'
  for (const what of ['requests', 'tokens'] as const) {
    const left = leftOf(call.limits, what, now)
    if (!left) continue
    headers[`x-ratelimit-limit-${what}`] = String(left.max)
    headers[`x-ratelimit-remaining-${what}`] = String(Math.floor(left.remaining))
    headers[`x-ratelimit-reset-${what}`] = `${(left.resetMs / 1000).toFixed(3)}s`
    if (!isAnthropic) continue
    headers[`anthropic-ratelimit-${what}-limit`] = String(left.max)
    headers[`anthropic-ratelimit-${what}-remaining`] = String(Math.floor(left.remaining))
    headers[`anthropic-ratelimit-${what}-reset`] = new Date(now + left.resetMs).toISOString()
  }
}
