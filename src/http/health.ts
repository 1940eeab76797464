/** /health asks every target's server whether it is there and what it has. It costs no tokens. */
import type { Target } from '../core/target.ts'
import { inquire } from '../upstream/inquire.ts'
import type { Link } from '../upstream/link.ts'

const TIMEOUT_MS = 5_000

interface Verdict {
  model: string
  model_id: string
  model_group: string
  error?: string
}

/** Each server once, however many targets it has; a target is well when its server answers and lists its model. */
export async function askTargets(links: readonly Link[]): Promise<Record<string, unknown>> {
  const servers = new Map<string, Promise<string[] | Error>>()
  const healthy: Verdict[] = []
  const unhealthy: Verdict[] = []
  await Promise.all(
    links.map(async (link) => {
      const answer = servers.get(link.origin) ?? namesAt(link)
      servers.set(link.origin, answer)
      const { target } = link
      const shown: Verdict = {
        model: `${target.provider}/${target.model}`,
        model_id: target.id,
        model_group: target.alias,
      }
      const error = trouble(await answer, target)
      if (error) unhealthy.push({ ...shown, error })
      else healthy.push(shown)
    }),
  )
  return {
    healthy_endpoints: healthy,
    unhealthy_endpoints: unhealthy,
    healthy_count: healthy.length,
    unhealthy_count: unhealthy.length,
  }
}

async function namesAt(link: Link): Promise<string[] | Error> {
  const { list } = link.provider
  if (!list) return []
  try {
    return list.read(await inquire(link, { path: list.path, timeoutMs: TIMEOUT_MS }))
  } catch (cause) {
    return cause as Error
  }
}

/** What is wrong, in words that hold no address and nothing the upstream said. */
function trouble(answer: string[] | Error, target: Target): string | undefined {
  if (answer instanceof Error) {
    const { status } = answer as { status?: number }
    if (status === 401 || status === 403) return 'its server refuses our credentials'
    return status ? `its server answers ${status}` : 'its server cannot be reached'
  }
  // Only a local server's list is complete: clouds leave models out that they serve.
  if (!target.local || target.model.includes('*')) return undefined
  const has = answer.some((name) => name === target.model || name === `${target.model}:latest`)
  return has ? undefined : `its server does not have the model '${target.model}'`
}
