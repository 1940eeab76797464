/** All routes that there are, without a gateway: nothing of their handlers runs. */
import { holderRoutes } from '../../src/admin/holder-routes.ts'
import { routes } from '../../src/http/routes.ts'

/** Whatever is asked of it: itself. Nothing of it runs while the table of routes is built. */
const anything: never = new Proxy(() => anything, { get: () => anything }) as never
const offices = { ...{ keys: anything, budgets: anything, grants: anything, reports: anything, links: () => [] } }

/** Without what is passed through to providers. */
export const table = routes(
  new Proxy(
    { ...offices, holders: holderRoutes(anything) },
    { get: (own, name) => (name in own ? own[name as 'keys'] : anything) },
  ) as never,
)
