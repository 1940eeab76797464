import { expect, test } from 'bun:test'
import type { Budget } from '../../src/core/budget.ts'
import { openAccount } from '../../src/core/ledger.ts'
import { FREE, UNKNOWN } from '../../src/core/price.ts'
import type { Refusal } from '../../src/core/refusal.ts'
import type { Policy } from '../../src/core/snapshot.ts'
import { mustBePriced } from '../../src/pipeline/accounts.ts'
import type { Call } from '../../src/pipeline/call.ts'
import { NOON, policy, priced, snapshot, target } from '../core/make.ts'

const account = (budget: Budget) => openAccount('key:a', budget, 0, { zone: 'UTC', mode: 'cap' }, NOON)
const LIMITED = account({ limit: 1 })
const UNLIMITED = account({ limit: Number.POSITIVE_INFINITY, soft: 1 })
const SOFT = account({ limit: 1, mode: 'soft' })

/** Whether a target of this price is refused to whoever has these accounts. */
function refused(price: Parameters<typeof priced>[0] | typeof FREE | typeof UNKNOWN, accounts = [LIMITED], given = {}) {
  const call = { snapshot: snapshot([], { policy: policy(given as Partial<Policy>) }) } as unknown as Call
  const it = target({ alias: 'gpt-9', price: typeof price === 'number' ? priced(price, price) : price })
  try {
    mustBePriced(call, it, accounts)
    return undefined
  } catch (cause) {
    return cause as Refusal
  }
}

test('what nobody knows the price of is refused to whoever has a limit, and only to them', () => {
  expect(refused(UNKNOWN)).toMatchObject({ code: 'unpriced_model', status: 403 })
  expect(refused(UNKNOWN)?.message).toContain("price of 'gpt-9' is not known")
  expect(refused(UNKNOWN, [UNLIMITED, SOFT, LIMITED])).toBeDefined()
  for (const accounts of [[], [UNLIMITED], [SOFT], [UNLIMITED, SOFT]])
    expect(refused(UNKNOWN, accounts)).toBeUndefined()
  for (const price of [FREE, 5]) expect(refused(price)).toBeUndefined()
})

test('the operator may let it through', () => {
  expect(refused(UNKNOWN, [LIMITED], { unpriced: 'allow' })).toBeUndefined()
})
