/** Keys and the ledger of a gateway under test. */
import type { Mock } from '../mock/upstream.ts'
import type { Gateway } from './gateway.ts'

export interface Row {
  request_id: string
  attempt: number
  api_key: string
  spend: number
  spend_nano: number
  prompt_tokens: number
  completion_tokens: number
  usage_source: string
  model: string
  model_group: string
  status: string
  outcome: string
}

/** Whole nano-dollars. */
export const nano = (dollars: number): number => Math.round(dollars * 1e9)

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** A new key. @throws where it is refused */
export async function makeKey(gateway: Gateway, fields: Record<string, unknown> = {}): Promise<string> {
  const reply = await gateway.call('POST', '/key/generate', fields)
  const body = (await reply.json()) as { key: string }
  if (reply.status !== 200) throw new Error(`/key/generate: ${reply.status} ${JSON.stringify(body)}`)
  return body.key
}

/** All rows of the ledger, page by page. @param key only those of this key @param query more of the filter */
export async function rowsOf(gateway: Gateway, key?: string, more = '', limit = 500): Promise<Row[]> {
  const rows: Row[] = []
  let before = ''
  for (;;) {
    const query = `limit=${limit}${more ? `&${more}` : ''}${key ? `&api_key=${key}` : ''}${before ? `&before=${before}` : ''}`
    const reply = await gateway.call('GET', `/spend/logs?${query}`)
    if (reply.status !== 200) throw new Error(`/spend/logs: ${reply.status} ${await reply.text()}`)
    rows.push(...((await reply.json()) as Row[]))
    const next = reply.headers.get('x-tollgate-next')
    if (!next || next === before) return rows
    before = next
  }
}

export interface Totals {
  spend: number
  held: number
  open_holds: number
  total_spend: number
  total_requests: number
  total_tokens: number
}

export async function totals(gateway: Gateway): Promise<Totals> {
  return (await (await gateway.call('GET', '/global/spend')).json()) as Totals
}

/** Waits until nothing is under way: a caller who left is settled a moment later. @throws after 5 s */
export async function atRest(gateway: Gateway): Promise<Totals> {
  const end = Date.now() + 5_000
  for (;;) {
    const now = await totals(gateway)
    if (now.open_holds === 0 && now.held === 0) return now
    if (Date.now() > end) throw new Error(`money is held at rest: ${JSON.stringify(now)}`)
    await Bun.sleep(20)
  }
}

/** What a mock's own bill comes to at these prices, in nano-dollars a token. */
export function billed(mock: Mock, model: string, price: { input: number; output: number }): number {
  const { prompt, completion } = mock.bill().byModel[model]?.sold ?? { prompt: 0, completion: 0 }
  return prompt * price.input + completion * price.output
}
