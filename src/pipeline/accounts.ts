/** The accounts that an attempt has to pass: those of its payer and the gateway's, and those of the target it is sent to. */
import { allows } from '../core/key.ts'
import type { Account } from '../core/ledger.ts'
import { unpricedModel } from '../core/plan.ts'
import { GATEWAY, type Payer, scopesOfPayer, scopesOfTarget } from '../core/scope.ts'
import type { Target } from '../core/target.ts'
import type { Call } from './call.ts'
import type { Io } from './io.ts'
import { payerOf } from './payer.ts'

/** Most requests name neither customer nor tags, and have the payer of their key. */
const scopesOf = new WeakMap<Payer, readonly string[]>()
const scopesAt = new WeakMap<Target, readonly string[]>()

function remembered<K extends object>(known: WeakMap<K, readonly string[]>, it: K, make: (it: K) => string[]) {
  let scopes = known.get(it)
  if (!scopes) {
    scopes = make(it)
    known.set(it, scopes)
  }
  return scopes
}

/**
 * Says who pays for a call and which accounts that are, whatever target it will be sent to. A key's own always comes
 * first, even without a budget.
 * @throws Refusal blocked_api_key where one of them is blocked
 */
export function charge(call: Call, io: Io): void {
  call.payer = payerOf(call, io)
  io.payers.check(call.payer)
  const accounts: Account[] = []
  const scopes = remembered(scopesOf, call.payer, (payer) => [...scopesOfPayer(payer), GATEWAY])
  for (const scope of scopes) {
    const budgets = io.payers.budgets(scope)
    if (budgets.length > 0) for (const account of io.ledger.accounts(scope, budgets)) accounts.push(account)
  }
  call.accounts = accounts
}

/** The accounts of one attempt at `target`. */
export function accountsAt(call: Call, io: Io, target: Target): readonly Account[] {
  let accounts = call.accounts
  if (accounts.some((account) => account.budget.model !== undefined))
    accounts = accounts.filter(({ budget }) => budget.model === undefined || allows([budget.model], target.alias))
  for (const scope of remembered(scopesAt, target, scopesOfTarget)) {
    const budgets = io.payers.budgets(scope)
    if (budgets.length > 0) accounts = [...accounts, ...io.ledger.accounts(scope, budgets)]
  }
  return accounts
}

/** @throws Refusal unpriced_model where an account has a limit and nobody knows what the target costs */
export function mustBePriced(call: Call, target: Target, accounts: readonly Account[]): void {
  if (target.price.kind === 'unknown' && call.snapshot.policy.unpriced === 'refuse' && accounts.some(isHard))
    throw unpricedModel(target.alias)
}

/** Whether an account can refuse anybody. */
const isHard = (account: Account): boolean => account.mode !== 'soft' && account.limit !== Number.POSITIVE_INFINITY
