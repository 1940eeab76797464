/** The guardrails of a file: what their kinds take of them, what is wrong with them, and what they come to. */
import type { z } from 'zod'
import type { GuardTerms } from '../guardrails/terms.ts'
import { explain, type Finding } from './explain.ts'
import { type GuardEntry, guardParams } from './guardrails.ts'
import { nearest } from './nearest.ts'
import type { Path } from './problem.ts'
import { valueAt } from './prune.ts'

/** What a load needs to know of a kind of guard. A `Kind` has this shape. */
export interface KnownKind {
  kind: string
  /** LiteLLM's types that it answers to. */
  litellm: readonly string[]
  settings: z.ZodType
}

/** What only its kind knows of an entry, read; by index. */
export type TakenGuards = Map<number, { kind: string; settings: unknown }>

const COMMON: ReadonlySet<string> = new Set(Object.keys(guardParams.shape))

/** LiteLLM's types that nothing here answers to unless a kind says so. */
const LITELLM = new Set(
  `aporia bedrock dynamoai guardrails_ai lakera lakera_v2 presidio hide-secrets hiddenlayer aim cato_networks pangea
  crowdstrike_aidr lasso pillar grayswan panw_prisma_airs cisco_ai_defense azure/prompt_shield azure/text_moderations
  model_armor openai_moderation noma noma_v2 tool_permission zscaler_ai_guard javelin enkryptai ibm_guardrails
  litellm_content_filter mcp_security onyx promptguard xecguard prompt_security generic_guardrail_api qualifire custom_code
  ovalix microsoft_purview semantic_guard mcp_end_user_permission block_code_execution akto mcp_jwt_signer llm_as_a_judge
  deepkeep qostodian_nexus rubrik vigil_guard repelloai singulr headroom compresr typesafe straiker alice agent_365
  llm_shield_proxy conduct decision_model`.split(/\s+/),
)

const kindFor = (said: string, kinds: readonly KnownKind[]): KnownKind | undefined =>
  kinds.find(({ kind }) => kind === said) ?? kinds.find(({ litellm }) => litellm.includes(said))

function shapeOf({ settings }: KnownKind): string[] {
  const { shape, in: first } = settings as { shape?: object; in?: { shape?: object } }
  return Object.keys(shape ?? first?.shape ?? {})
}

/** Moves what only its kind knows out of the schema's sight, and reads it. */
export function takeGuards(
  root: unknown,
  kinds: readonly KnownKind[],
  hidden: (path: Path) => boolean,
): { taken: TakenGuards; findings: Finding[] } {
  const taken: TakenGuards = new Map()
  const findings: Finding[] = []
  const list = valueAt(root, ['guardrails'])
  for (const [i, one] of (Array.isArray(list) ? list : []).entries()) {
    const params = valueAt(one, ['litellm_params'])
    if (typeof params !== 'object' || params === null) continue
    const map = params as Record<string, unknown>
    const { guardrail } = map
    if (typeof guardrail !== 'string' || guardrail === '') continue
    const at: Path = ['guardrails', i, 'litellm_params']
    const kind = kindFor(guardrail, kinds)
    const own: Record<string, unknown> = {}
    const shape = kind && shapeOf(kind)
    for (const key of Object.keys(map)) {
      if (COMMON.has(key) || (shape && !shape.includes(key))) continue
      own[key] = map[key]
      delete map[key]
    }
    if (!kind) {
      findings.push({ path: [...at, 'guardrail'], severity: 'error', ...noSuchKind(guardrail, kinds) })
      continue
    }
    const read = kind.settings.safeParse(own)
    if (read.success) taken.set(i, { kind: kind.kind, settings: read.data })
    else
      for (const issue of read.error.issues)
        findings.push(
          ...explain(
            { ...issue, path: [...at, ...issue.path] } as never,
            (path) => valueAt(own, path.slice(3)),
            hidden,
          ),
        )
  }
  return { taken, findings }
}

function noSuchKind(said: string, kinds: readonly KnownKind[]): { message: string; suggestion?: string } {
  const all = kinds.flatMap(({ kind, litellm }) => [kind, ...litellm])
  const near = nearest(said, all)
  const have = `There are: ${[...new Set(all)].sort().join(', ') || 'none'}.`
  if (LITELLM.has(said))
    return {
      message: `\`${said}\` is known from LiteLLM and not built yet; without it requests would go unseen. ${have} A service with an API of its own can be asked by \`webhook\`.`,
    }
  return {
    message: `there is no kind of guard \`${said}\`.${near ? ` Did you mean \`${near}\`?` : ''} ${have}`,
    ...(near ? { suggestion: near } : {}),
  }
}

/** LiteLLM's types that take out what they find where nothing else is said. */
const REDACTS = ['presidio', 'hide-secrets']

const flaggedOf = ({ on_flagged: said, guardrail }: GuardEntry['litellm_params']): GuardTerms['onFlagged'] =>
  // LiteLLM's Lakera says `monitor`: let through, and told.
  said === 'monitor' ? 'warn' : (said ?? (REDACTS.includes(guardrail) ? 'redact' : 'block'))

/**
 * What a schema can't say.
 * @param models every `litellm_params.guardrails`, with its place
 * @param hasRedis whether a Redis is known
 */
export function checkGuards(
  list: readonly GuardEntry[],
  models: readonly { path: Path; names: readonly string[] }[],
  hasRedis: boolean,
): Finding[] {
  const found: Finding[] = []
  const wrong = (path: Path, message: string, suggestion?: string) =>
    found.push({ path, message, severity: 'error', ...(suggestion ? { suggestion } : {}) })
  const seen = new Map<string, number>()
  for (const [i, { guardrail_name: name, litellm_params: said }] of list.entries()) {
    const at = (key: string): Path => ['guardrails', i, 'litellm_params', key]
    const first = seen.get(name)
    if (first !== undefined)
      wrong(['guardrails', i, 'guardrail_name'], `\`${name}\` is taken by guardrails.${first}. Each name stands once.`)
    else seen.set(name, i)
    const modes = [said.mode].flat()
    const onFlagged = flaggedOf(said)
    const acts = modes.filter((mode) => mode !== 'logging_only')
    if (onFlagged === 'redact' && modes.includes('during_call'))
      wrong(at('on_flagged'), 'can not redact in `during_call`: the request is on its way by then. Use `pre_call`.')
    if (onFlagged === 'local_only' && acts.some((mode) => mode !== 'pre_call'))
      wrong(at('on_flagged'), '`local_only` is decided before a request is sent: use `mode: pre_call`.')
    if ((said.restore ?? said.output_parse_pii) && onFlagged !== 'redact')
      wrong(
        at(said.restore ? 'restore' : 'output_parse_pii'),
        'restores nothing where nothing is redacted: say `on_flagged: redact`.',
      )
    if ((said.restore ?? said.output_parse_pii) && !modes.includes('pre_call'))
      wrong(
        at(said.restore ? 'restore' : 'output_parse_pii'),
        'restores what was taken out of the request: say `mode: pre_call`.',
      )
    if (said.on_error && said.unreachable_fallback && said.on_error !== said.unreachable_fallback)
      wrong(at('unreachable_fallback'), 'says something else than `on_error`. Keep one of them.')
    if (said.cache?.in === 'redis' && !hasRedis)
      wrong(
        ['guardrails', i, 'litellm_params', 'cache', 'in'],
        'there is no Redis: say `type: redis` and its address in `litellm_settings.cache_params`.',
      )
    if (said.default_on)
      for (const key of ['keys', 'teams', 'projects', 'models', 'tags'] as const)
        if (said[key])
          wrong(at(key), 'has no effect beside `default_on: true`, which means all requests. Keep one of them.')
  }
  const all = [...seen.keys()]
  for (const { path, names } of models)
    for (const [i, name] of names.entries()) {
      if (seen.has(name)) continue
      const near = nearest(name, all)
      wrong([...path, i], `there is no guardrail \`${name}\`.${near ? ` Did you mean \`${near}\`?` : ''}`, near)
    }
  return found
}

/** @param modelsOf aliases whose entries name a guardrail */
export function guardTerms(
  list: readonly GuardEntry[],
  taken: TakenGuards,
  modelsOf: (name: string) => readonly string[],
): GuardTerms[] {
  return list.flatMap(({ guardrail_name: name, litellm_params: said, guardrail_info: info }, i) => {
    const own = taken.get(i)
    if (!own) return []
    const { keys = [], teams = [], projects = [], models = [], tags = [] } = said
    const terms: GuardTerms = {
      ...{ name, info, kind: own.kind, settings: own.settings },
      modes: [...new Set([said.mode].flat())],
      onFlagged: flaggedOf(said),
      onError: said.on_error ?? said.unreachable_fallback ?? 'fail_closed',
      timeoutMs: Math.round(said.timeout * 1_000),
      ...{ retries: said.retries, sample: said.sample, pieces: said.pieces, roles: said.roles, unseen: said.unseen },
      cache: said.cache && { ttlMs: Math.round(said.cache.ttl * 1_000), in: said.cache.in },
      restore: said.restore ?? said.output_parse_pii ?? false,
      inHouse: said.in_house ?? isNear(own.settings),
      every: said.stream.every,
      where: {
        everywhere: said.default_on,
        ...{ keys, teams, projects, tags },
        models: [...new Set([...models, ...modelsOf(name)])],
      },
    }
    return [terms]
  })
}

/** Where scanners are asked, by the names that kinds give it. */
const ADDRESSES = ['api_base', 'url', 'presidio_analyzer_api_base', 'aws_bedrock_runtime_endpoint'] as const

/** Whether a kind's settings say where it is asked, and nowhere but in the house. */
function isNear(settings: unknown): boolean {
  const said = ADDRESSES.map((name) => valueAt(settings, [name])).filter((one) => typeof one === 'string')
  return said.length > 0 && said.every(isPrivate)
}

/** Whether an address is one of the house by its looks alone: names are looked up by nobody here. */
function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return (
    /^(localhost|127(\.\d+){3}|10(\.\d+){3}|192\.168(\.\d+){2}|172\.(1[6-9]|2\d|3[01])(\.\d+){2})$/.test(host) ||
    /^(::1$|f[cd][0-9a-f]{2}:|fe80:)/i.test(host)
  )
}
