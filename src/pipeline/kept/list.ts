/** Lists are answered from what we remember, so that nobody sees what another has at the same provider. */
import type { Belonging } from '../io.ts'
import { owner, type Step } from './step.ts'

const USUAL = 20
const MOST = 1_000

/** `limit`, `after`, `order`, and for files `purpose`, as OpenAI pages. Objects are as they were last seen. */
export function list(kind: Belonging['kind']): Step {
  return async (call, io) => {
    const query = new URL(call.request.url).searchParams
    const asked = Number(query.get('limit') ?? USUAL)
    const limit = Number.isInteger(asked) ? Math.min(Math.max(1, asked), MOST) : USUAL
    const found = io.belongings.list(owner(call), kind, {
      after: query.get('after') ?? undefined,
      limit: limit + 1,
      oldest: query.get('order') === 'asc',
      purpose: query.get('purpose') ?? undefined,
    })
    const data = found.slice(0, limit).map((thing) => thing.facts)
    return {
      body: {
        object: 'list',
        data,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
        has_more: found.length > limit,
      },
    }
  }
}
