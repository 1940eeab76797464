/** `GET /health`: which targets are well; asked now, or, where they are checked in the background, as last found. */
import type { HealthChecks } from '../pipeline/health.ts'
import type { Link } from '../upstream/link.ts'

export async function showHealth(
  checks: HealthChecks,
  links: readonly Link[],
  alias: string | null,
): Promise<Record<string, unknown>> {
  const { background } = checks.rules
  if (!background) await checks.all()
  const shown = links.filter(({ target }) => alias === null || target.alias === alias)
  const all = shown.map(({ target }) => {
    const found = checks.found.get(target.id)
    return {
      found,
      endpoint: {
        model: `${target.provider}/${target.model}`,
        model_id: target.id,
        model_group: target.alias,
        ...(found?.error === undefined ? {} : { error: found.error }),
        ...(background && found ? { checked_at: new Date(found.at).toISOString() } : {}),
      },
    }
  })
  const of = (test: (found: (typeof all)[number]['found']) => boolean) =>
    all.filter((one) => test(one.found)).map((one) => one.endpoint)
  const healthy = of((found) => found !== undefined && found.error === undefined)
  const unhealthy = of((found) => found?.error !== undefined)
  const unchecked = of((found) => found === undefined)
  return {
    healthy_endpoints: healthy,
    unhealthy_endpoints: unhealthy,
    healthy_count: healthy.length,
    unhealthy_count: unhealthy.length,
    ...(unchecked.length > 0 ? { unchecked_endpoints: unchecked, unchecked_count: unchecked.length } : {}),
  }
}
