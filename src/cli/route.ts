/** `tollgate route`: which target a request would be sent to, and why, from a running gateway. Nothing is sent. */
import { defineCommand } from 'citty'
import { clientFor } from './client.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

const DEFAULT_URL = 'http://127.0.0.1:4000'

export const routeCommand = defineCommand({
  meta: { name: 'route', description: 'Tell which target a request would be sent to, without sending it' },
  args: {
    model: { type: 'positional', required: true, description: 'The alias that is asked for' },
    explain: { type: 'boolean', description: 'Also tell each target, and why it was left out or comes later' },
    prompt: { type: 'string', description: 'The prompt. Default: Hello!' },
    'max-tokens': { type: 'string', description: 'The most tokens of the answer' },
    tags: { type: 'string', description: 'Tags of the request, with commas between' },
    json: { type: 'boolean', description: 'Print what the gateway answered, as JSON' },
    url: { type: 'string', description: 'The gateway. Default: TOLLGATE_URL, else http://127.0.0.1:4000' },
    config: {
      type: 'string',
      description:
        'Configuration file with the master key. Default: TOLLGATE_MASTER_KEY or LITELLM_MASTER_KEY, else tollgate.yaml',
    },
  },
  async run({ args, data }): Promise<ExitCode> {
    const terminal = data as Terminal
    const most = args['max-tokens']
    if (most !== undefined && !/^[1-9]\d{0,8}$/.test(most))
      throw new UsageError('`--max-tokens` is a whole number from 1.')
    const client = await clientFor(args.url ?? (terminal.env.TOLLGATE_URL || DEFAULT_URL), args.config, terminal)
    const route = (await client.post('/utils/route', {
      model: args.model,
      messages: [{ role: 'user', content: args.prompt ?? 'Hello!' }],
      ...(most === undefined ? {} : { max_tokens: Number(most) }),
      ...(args.tags === undefined ? {} : { metadata: { tags: args.tags.split(',').map((tag) => tag.trim()) } }),
    })) as Route
    if (args.json) terminal.out(JSON.stringify(route, null, 2))
    else for (const line of asText(route, args.explain === true)) terminal.out(line)
    return route.chosen === null ? 1 : 0
  },
})

interface Named {
  id: string
  target: string
}

interface Route {
  model: string
  strategy: string
  chosen: string | null
  targets: (Named & {
    place: number
    state: string
    room: boolean
    budget: string
    cost: { known: boolean; likely: number; most: number }
  })[]
  left_out: (Named & { reason: string })[]
}

function asText({ model, strategy, chosen, targets, left_out: leftOut }: Route, explain: boolean): string[] {
  const first = targets.find((t) => t.id === chosen)
  const lines = [first ? `${model} → ${first.target} (${first.id})` : `${model} → nobody`]
  if (!explain) return lines
  lines.push(`  by ${strategy}`)
  for (const t of targets) {
    const cost = t.cost.known ? `$${t.cost.likely} to $${t.cost.most}` : 'price unknown'
    const troubles = [t.state, t.room ? '' : 'no room this minute', t.budget === 'ok' ? '' : t.budget].filter(
      (s) => s !== '' && s !== 'well',
    )
    lines.push(`  ${t.place}. ${t.target} (${t.id}): ${[cost, ...troubles].join('; ')}`)
  }
  for (const t of leftOut) lines.push(`  –  ${t.target} (${t.id}): ${t.reason}`)
  return lines
}
