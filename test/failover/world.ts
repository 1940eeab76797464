/** A gateway with one alias for each meeting of a fault, a way and a form, so that no breaker is shared. */
import { expect } from 'bun:test'
import { wordsFor } from '../mock/answer.ts'
import type { Mock } from '../mock/upstream.ts'
import { ask, type Said, type Tongue } from '../support/ask.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import type { Fault, Verdict } from './faults.ts'

export const UPSTREAM_KEY = 'sk-upstream-never-to-be-seen'
/** Words of an answer. */
export const WORDS = 60
export const FULL = wordsFor('Hi', WORDS).join('')

/** The caller's dialect → the primary's. */
const WAYS = [
  ['openai', 'openai'],
  ['ollama', 'ollama'],
  ['openai', 'ollama'],
] as const satisfies readonly (readonly [Tongue, Tongue])[]

export interface Meeting {
  fault: Fault
  alias: string
  caller: Tongue
  target: Tongue
  stream: boolean
  /** The backup is a second deployment of the alias (of the same provider), or an alias of its own (OpenAI's). */
  backup: 'deployment' | 'alias' | 'none'
  verdict: Verdict
}

export function meetings(faults: readonly Fault[]): Meeting[] {
  const all: Meeting[] = []
  for (const [i, fault] of faults.entries())
    for (const [caller, target] of WAYS)
      for (const stream of [true, false])
        for (const backup of ['deployment', 'alias', 'none'] as const) {
          const said = stream ? fault.stream : fault.whole
          if (said === undefined || (fault.only !== undefined && fault.only !== target)) continue
          if (backup === 'none' && !fault.alone) continue
          const verdict = backup === 'none' ? 'primary' : said
          const alias = `f${i}-${caller}-${target}-${stream ? 's' : 'w'}-${backup}`
          all.push({ fault, alias, caller, target, stream, backup, verdict })
        }
  return all
}

/** A deployment on a mock. */
export function deployment(
  alias: string,
  tongue: Tongue,
  url: string,
  model: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const api_base = tongue === 'openai' ? `${url}/v1` : url
  return {
    model_name: alias,
    litellm_params: { model: `${tongue}/${model}`, api_base, api_key: UPSTREAM_KEY, ...more },
  }
}

/** Short times, so that what hangs is given up within seconds. */
export const TIMES = { connect: 0.5, first_byte: 2, first_byte_local: 2, idle: 2, total: 8 }

/** Each alias's primary and backup ask for models of their own names: `<alias>` and `b-<alias>`. */
export function gatewayFor(all: readonly Meeting[], mock: Mock): Promise<Gateway> {
  const models: Record<string, unknown>[] = []
  const fallbacks: Record<string, string[]>[] = []
  for (const { alias, target, backup, fault } of all) {
    mock.plan(alias, fault.plan)
    models.push(deployment(alias, target, mock.url, alias, { order: 0 }))
    if (backup === 'none') continue
    if (backup === 'deployment') models.push(deployment(alias, target, mock.url, `b-${alias}`, { order: 1 }))
    else {
      models.push(deployment(`b-${alias}`, 'openai', mock.url, `b-${alias}`))
      fallbacks.push({ [alias]: [`b-${alias}`] })
    }
  }
  return startGateway({
    yaml: {
      model_list: models,
      router_settings: { fallbacks, num_retries: 2 },
      tollgate: { timeouts: TIMES, backends: { [mock.url]: { slots: 1_000 } } },
    },
  })
}

export const meet = (gateway: Gateway, { alias, caller, stream }: Meeting): Promise<Said> =>
  ask(gateway, { tongue: caller, model: alias, stream })

/** Holds an answer against what its fault's row says. */
export function judge(meeting: Meeting, said: Said, mock: Mock): void {
  const { fault, alias, verdict, target, backup } = meeting
  const primary = mock.of(alias)
  const second = mock.of(`b-${alias}`)
  const told = `${alias}: ${said.status} by ${said.by}, ${primary.length}+${second.length} upstream, ${said.error ?? said.finish}: ${said.body.slice(-300)}`
  const hold = (what: string, holds: boolean): void => expect(holds ? '' : `${what} — ${told}`).toBe('')

  hold('at most 4 attempts', primary.length + second.length <= 4)
  hold(`at most ${fault.most ?? 4} at the primary`, primary.length <= (fault.most ?? 4))
  hold('no key of ours', !said.body.includes(UPSTREAM_KEY) && !JSON.stringify([...said.headers]).includes(UPSTREAM_KEY))
  hold("none of the upstream's words or addresses", !/nginx|foreign|127\.0\.0\.1/.test(said.body))
  if (fault.within !== undefined) hold(`within ${fault.within} ms, took ${said.ms}`, said.ms <= fault.within)
  if (fault.gap !== undefined && primary.length > 1)
    hold(`a pause of ${fault.gap} ms`, primary[1]!.at - primary[0]!.at >= fault.gap)

  if (typeof verdict === 'number') {
    hold(`status ${verdict}`, said.status === verdict)
    hold('the backup is not asked', second.length === 0)
    hold("the upstream's reason is handed on", said.error?.includes(primary[0]!.behaviour.error!.message!) === true)
    return
  }
  hold('status 200', said.status === 200)
  hold(`no garbage: ${JSON.stringify(said.garbage)}`, said.garbage.length === 0)
  // A backup that takes the beginning of an answer goes on with it; headers have left by then.
  const goesOn = meeting.stream && verdict === 'told' && target === 'ollama' && backup === 'deployment'
  if (goesOn) hold('it goes on elsewhere', said.error === undefined && second.length > 0)
  if ((verdict === 'told' || verdict === 'anyhow') && said.error !== undefined) {
    hold('no finish with the error', said.finish === undefined && !said.body.includes('[DONE]'))
    hold('what came before is as it was', FULL.startsWith(said.text))
    hold('the stream ends in order', !said.broke)
    return
  }
  hold('a whole answer', said.whole)
  hold('the text as it was made', said.text === FULL)
  hold('attempts are told', goesOn || verdict === 'anyhow' || said.attempts === primary.length + second.length)
  if (!meeting.stream && !fault.noUsage) expect([alias, said.usage]).toEqual([alias, { prompt: 2, completion: WORDS }])
  const byPrimary = said.by === `${target}/${alias}`
  const byBackup = said.by === `${backup === 'alias' ? 'openai' : target}/b-${alias}`
  hold('says who answered', byPrimary || byBackup)
  if (verdict === 'primary') hold('by the primary', byPrimary && second.length === 0)
  if (verdict === 'backup') hold('by the backup', byBackup)
  if (byBackup) hold('says why', said.headers.get('x-tollgate-why')?.startsWith(`${target}/${alias}: `) === true)
}
